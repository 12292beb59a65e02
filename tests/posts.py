"""Reads the posts and checks what they say: excerpts, console blocks, links, pictures.

A post is Markdown with three kinds of fences that are checked:

    ```nasm title="path"     a verbatim, contiguous excerpt of that file (common
                             indentation aside)
    ```nasm save="path"      a file that the reader is asked to write
    ```console               commands after `$ `, run in order in a copy of the repository
                             of the post's own, and the output that they print. `...` alone
                             on a line stands for any lines, inside a line for any
                             text. After a command that starts gdb, what the reader
                             types to it stands behind `(gdb) `.

Each check returns a list of complaints in words, which is empty if all is well.
"""
from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import signal
import subprocess
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

FENCE = re.compile(r"^( *)```([^`\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
# Where a home directory or a working copy of ours would show.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/[\w.-]*")
LIMIT = 300                             # seconds for the commands of one post
ANY = "..."
MARK = "\x1e"                           # what no command prints


@dataclass(frozen=True)
class Fence:
    """One block of code: line number in the post, the words after ```, the lines."""

    line: int
    info: str
    lines: list[str]

    @property
    def language(self) -> str:
        return self.info.split(" ")[0]

    def attribute(self, name: str) -> Optional[str]:
        found = re.search(rf'\b{name}="([^"]*)"', self.info)
        return found[1] if found else None


@dataclass
class Step:
    """A command of a console block with its output as shown, or a file to write."""

    line: int
    command: str
    shown: list[str]

    @property
    def typed(self) -> list[str]:
        """What the reader types to the gdb that the command starts."""
        return [line[6:] for line in self.shown if line.startswith("(gdb) ")]


class Post:
    """A Markdown file."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self.text = path.read_text(encoding="utf-8")
        self.fences = []
        for found in FENCE.finditer(self.text):
            lines = textwrap.dedent(found[3]).splitlines()
            line = self.text.count("\n", 0, found.start()) + 1
            self.fences.append(Fence(line, found[2].strip(), lines))
        # As many lines as the post, so that line numbers stay right.
        self.prose = FENCE.sub(lambda found: "\n" * found[0].count("\n"), self.text)

    @property
    def words(self) -> int:
        """How many words of prose it has: without code, and without the front matter."""
        return len(re.sub(r"\A---\n.*?\n---\n", "", self.prose, flags=re.DOTALL).split())

    @property
    def front_matter(self) -> dict[str, str]:
        found = re.match(r"---\n(.*?)\n---\n", self.text, re.DOTALL)
        return dict(re.findall(r"^(\w+): *(.+)$", found[1], re.MULTILINE)) if found else {}

    @property
    def anchors(self) -> set[str]:
        """What a link may name behind the #: headings as a Git host writes them, and ids."""
        headings = re.findall(r"^#+ +(.+?) *#*$", self.prose, re.MULTILINE)
        slugs: list[str] = []
        for heading in headings:
            plain = re.sub(r"[^\w\- ]", "", LINK.sub(r"\2", heading)).lower().replace(" ", "-")
            again = sum(slug == plain for slug in slugs)
            slugs += [plain, f"{plain}-{again}"] if again else [plain]
        return {*slugs, *re.findall(r'\b(?:id|name)="([^"]+)"', self.prose)}


# -- excerpts --------------------------------------------------------------------------------


def wrong_excerpts(post: Post) -> list[str]:
    """Fences with a title that are not in the file of that name."""
    complaints = []
    for fence in post.fences:
        title = fence.attribute("title")
        file = post.root / (title or "")
        if title and not file.is_file():
            complaints.append(f"line {fence.line}: there is no file {title}")
        elif title and fence.lines:
            difference = excerpt_difference(fence.lines, file.read_text().splitlines(), title)
            if difference:
                complaints.append(f"line {fence.line}: not in {title}\n{difference}")
    return complaints


def excerpt_difference(excerpt: list[str], file: list[str], name: str) -> str:
    """Nothing if the file holds these lines, else a diff with its most similar lines."""
    wanted = dedented(excerpt)
    starts = range(max(1, len(file) - len(wanted) + 1))
    windows = [dedented(file[start:start + len(wanted)]) for start in starts]
    if wanted in windows:
        return ""
    best = max(starts, key=lambda start: difflib.SequenceMatcher(
        None, windows[start], wanted, autojunk=False).ratio())
    return "\n".join(difflib.unified_diff(
        windows[best], wanted, f"{name}, from line {best + 1}", "the post", lineterm="", n=99))


def dedented(lines: list[str]) -> list[str]:
    return [line.rstrip() for line in textwrap.dedent("\n".join(lines)).split("\n")]


# -- console blocks ---------------------------------------------------------------------------


def steps(post: Post) -> Iterator[Step]:
    """The commands of all console blocks and the files to write, in the post's order."""
    for fence in post.fences:
        name = fence.attribute("save")
        if name:
            content = "\n".join(fence.lines) + "\n"
            yield Step(fence.line, f"cd {shlex.quote(str(post.root))}; mkdir -p "
                       f"{shlex.quote(os.path.dirname(name) or '.')}; "
                       f"printf %s {shlex.quote(content)} > {shlex.quote(name)}", [])
        if fence.language != "console":
            continue
        step: Optional[Step] = None
        for number, line in enumerate(fence.lines, fence.line + 1):
            if line.startswith("$ "):
                if step:
                    yield step
                step = Step(number, line[2:], [])
            elif step and line.startswith("> ") and not step.shown:
                step.command += "\n" + line[2:]
            elif step:
                step.shown.append(line)
        if step:
            yield step


def wrong_consoles(post: Post) -> list[str]:
    """Run the post's commands, in post.root; the outputs that are not as shown."""
    todo = list(steps(post))
    if not todo:
        return []
    recursive = [step for step in todo if re.search(r"\bmake( -\S+)* test\b", step.command)]
    if recursive:
        return [f"line {recursive[0].line}: `make test` runs this very test: show it in a "
                "```sh fence, which is not run"]
    complaints = []
    for step, output in zip(todo, run(todo, post.root)):
        if output is None:
            complaints.append(f"line {step.line}: `{step.command}` was not reached, or did "
                              f"not end within {LIMIT} s")
            break
        difference = output_difference(step.shown, output)
        if difference:
            complaints.append(f"line {step.line}: `{step.command}` printed\n{difference}")
    return complaints


def run(todo: list[Step], folder: Path) -> list[Optional[str]]:
    """Give the commands to one bash; the output of each, None for those not reached."""
    script = []
    for number, step in enumerate(todo):
        typed = folder.parent / f"typed-{number}"
        typed.write_text("".join(line + "\n" for line in step.typed))
        script.append(f"printf '\\036'\n{{ {step.command}\n}} <{shlex.quote(str(typed))}\n")
    dropped = ("DISPLAY", "WAYLAND_DISPLAY", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BREAK", "V",
               "TOOLCHAIN", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items()
                   if name not in dropped and not name.startswith("PYTEST_")}
    environment.update(TERM="dumb", COLUMNS="80", LC_ALL="C.UTF-8", PYTHONUTF8="1")
    with subprocess.Popen(
            ["bash", "-c", "".join(script)], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True) as bash:
        try:
            output = bash.communicate(timeout=LIMIT)[0]
            last = None
        except subprocess.TimeoutExpired:
            os.killpg(bash.pid, signal.SIGKILL)
            output = bash.communicate()[0]
            last = -1                   # what it printed so far is not its output
    found: list[Optional[str]] = list(output.decode(errors="replace").split(MARK)[1:last])
    found += [None] * (len(todo) - len(found))
    return [echoed(step, text) if text is not None else None
            for step, text in zip(todo, found)]


def echoed(step: Step, output: str) -> str:
    """The output with what was typed to gdb, as a terminal would show it."""
    first, *answers = output.replace("\r\n", "\n").split("(gdb) ")
    typed = [*step.typed, *[""] * len(answers)]
    return first + "".join(f"(gdb) {line}\n{answer}" for line, answer in zip(typed, answers))


def output_difference(shown: list[str], output: str) -> str:
    """Nothing if the output is as shown, else both of them compared."""
    wanted = [line.rstrip() for line in shown]
    actual = [line.rstrip() for line in output.splitlines()]
    for lines in (wanted, actual):
        while lines and not lines[-1]:
            lines.pop()
    if matches(wanted, actual):
        return ""
    # The empty rows of a screen would hide the row that differs.
    seen = [line for number, line in enumerate(actual) if actual[number - 1:number] != [line]]
    return "\n".join(difflib.unified_diff(wanted, seen, "the post", "the machine",
                                          lineterm="", n=3))


def matches(wanted: list[str], actual: list[str]) -> bool:
    """Is `actual` like `wanted`, in which `...` stands for any lines?"""
    parts: list[list[str]] = [[]]
    for line in wanted:
        parts.append([]) if line == ANY else parts[-1].append(line)
    if len(parts) == 1:
        return same(wanted, actual)
    first, *middle, last = parts
    end = len(actual) - len(last)
    position = len(first)
    if end < position or not same(first, actual[:position]) or not same(last, actual[end:]):
        return False
    for part in middle:
        found = next((start for start in range(position, end - len(part) + 1)
                      if same(part, actual[start:start + len(part)])), None)
        if found is None:
            return False
        position = found + len(part)
    return True


def same(wanted: list[str], actual: list[str]) -> bool:
    """Are these the same lines, if `...` stands for any text in them?"""
    return len(wanted) == len(actual) and all(
        re.fullmatch(".*".join(map(re.escape, line.split(ANY))), there)
        for line, there in zip(wanted, actual))


def copy_repository(root: Path, target: Path) -> None:
    """Copy all but Git's own files and what was built."""
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(
        ".git", "build", "node_modules", "__pycache__"))


# -- links, pictures, words -------------------------------------------------------------------


def dead_links(post: Post) -> list[str]:
    """Links to files and anchors that do not exist, pictures without alternative text."""
    prose = re.sub(r"(`+)(?!`).*?\1", "", post.prose)
    complaints = []
    for found in LINK.finditer(prose):
        line = prose.count("\n", 0, found.start()) + 1
        is_image, text, target = found[1], found[2], found[3]
        if is_image and not text.strip():
            complaints.append(f"line {line}: the picture {target} has no alternative text")
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (post.path.parent / name).resolve() if name else post.path
        if not file.exists():
            complaints.append(f"line {line}: {target} does not exist")
        elif anchor and file.suffix == ".md" and anchor not in Post(file, post.root).anchors:
            complaints.append(f"line {line}: {name or 'this page'} has no heading #{anchor}")
    for tag in re.finditer(r"<img\b[^>]*>", prose):
        line = prose.count("\n", 0, tag.start()) + 1
        source = re.search(r'\bsrc="([^"]*)"', tag[0])
        if not re.search(r'\balt="[^"]+"', tag[0]):
            complaints.append(f"line {line}: {tag[0]} has no alternative text")
        if source and ":" not in source[1] and not (post.path.parent / source[1]).exists():
            complaints.append(f"line {line}: {source[1]} does not exist")
    return complaints


def wrong_picture(path: Path) -> list[str]:
    """What is wrong with an SVG: not XML, or no title for those who cannot see it."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        return [f"{path.name} is not well-formed XML: {error}"]
    title = root.find("{http://www.w3.org/2000/svg}title")
    if title is None or not (title.text or "").strip():
        return [f"{path.name} has no <title>"]
    return []


def machine_paths(post: Post) -> list[str]:
    """Absolute paths of one person's machine."""
    return [f"line {post.text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
            for found in MACHINE_PATH.finditer(post.text)]
