"""What the posts say is true: each excerpt, each output, each link."""
from __future__ import annotations

import re
import shutil

import pytest

import posts
from conftest import ROOT, need_gnu_efi
from posts import Post

DOCS = sorted(ROOT.glob("docs/*.md"))
PAGES = [*DOCS, *ROOT.glob("*.md"), *sorted(ROOT.glob("chapters/*/README.md"))]
PICTURES = sorted(ROOT.glob("docs/**/*.svg"))
CHAPTERS = sorted(path.name for path in ROOT.glob("chapters/[0-9][0-9]-*"))
VARIANTS = sorted(ROOT.glob("chapters/*/break/*.patch"))

CHAPTER_WORDS = range(2000, 5001)

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
each_post = pytest.mark.parametrize("page", DOCS, ids=[path.name for path in DOCS])
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


def assert_none(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(complaints)


# The longest first: what else there is fills the gaps.
@each_post
def test_console_blocks_show_what_is_seen(page, tmp_path):
    """The commands of a post, run in order in a fresh copy, print what it shows."""
    post = Post(page, ROOT)
    if not list(posts.steps(post)):
        return
    if any(step.typed for step in posts.steps(post)) and not shutil.which("gdb"):
        pytest.skip("no gdb here: this page shows what it answers")
    if page.stem in CHAPTERS:
        need_gnu_efi(page.stem)
    copy = tmp_path / "repository"
    posts.copy_repository(ROOT, copy)
    assert_none(posts.wrong_consoles(Post(page, copy)))


@each_page
def test_excerpts_are_verbatim(page):
    """A fence with a title is a contiguous excerpt of that file."""
    assert_none(posts.wrong_excerpts(Post(page, ROOT)))


@each_page
def test_links_lead_somewhere(page):
    """Files, headings and pictures that are linked to exist; pictures have a text."""
    assert_none(posts.dead_links(Post(page, ROOT)))


@each_page
def test_no_page_shows_the_paths_of_one_machine(page):
    """Outputs are shown as anybody sees them."""
    assert_none(posts.machine_paths(Post(page, ROOT)))


@each_post
def test_posts_have_front_matter(page):
    """A title and a description, for the website and for search engines."""
    assert {"title", "description"} <= Post(page, ROOT).front_matter.keys()


@each_post
def test_the_table_of_contents_lists_every_page(page):
    """docs/README.md links to each page beside it."""
    if page.name != "README.md":
        assert f"({page.name})" in (ROOT / "docs/README.md").read_text()


@pytest.mark.parametrize("picture", PICTURES, ids=[path.name for path in PICTURES])
def test_drawings_have_a_title(picture):
    """An SVG is well-formed, and says in words what it shows."""
    assert_none(posts.wrong_picture(picture))


@each_chapter
def test_each_chapter_has_a_post_of_readable_length(chapter):
    """2,000 to 5,000 words, code not counted."""
    assert Post(ROOT / f"docs/{chapter}.md", ROOT).words in CHAPTER_WORDS


@each_page
def test_broken_variants_that_are_named_exist(page):
    """Every BREAK=name is a variant, and one of the chapter that stands before it."""
    names = {path.stem for path in VARIANTS}
    text = page.read_text(encoding="utf-8")
    for number, name in re.findall(r"(?:chapter-(\d+) (?:\w+ )*)?BREAK=([a-z0-9][\w-]*)", text):
        of_chapter = {path.stem for path in VARIANTS
                      if number and path.parts[-3].startswith(f"{int(number):02}-")}
        assert name == "name" or name in (of_chapter if number else names), f"BREAK={name}"


@pytest.mark.parametrize(
    "variant", VARIANTS, ids=[f"{path.parts[-3]}-{path.stem}" for path in VARIANTS])
@pytest.mark.parametrize("place", ["its post", "symptoms.md"])
def test_every_broken_variant_is_explained(variant, place):
    """In the post of its chapter, and in the index of symptoms."""
    page = ROOT / "docs" / (f"{variant.parts[-3]}.md" if place == "its post" else place)
    assert re.search(rf"(?<![\w-]){variant.stem}(?![\w-])", page.read_text(encoding="utf-8"))


# -- the checks themselves --------------------------------------------------------------------


SAMPLE = """\
---
title: A sample
description: For the tests of the checks.
---

# The first: of `two`

```nasm title="code.asm"
mov ax, 1
    mov bx, 2
```

See [below](#the-second) or [the code](code.asm), ![a drawing](a.svg).

## The second

```text save="build/a file"
hello
```

```console
$ cat 'build/a file'
hello
$ cd build; printf 'one\\ntwo\\nthree 3\\n'
one
...
three ...
$ basename "$PWD"
build
```
"""


@pytest.fixture
def sample(tmp_path):
    """`sample(old, new)`: the sample post with one thing changed, beside what it needs."""
    def write(old: str = "", new: str = "") -> Post:
        folder = tmp_path / "copy"
        folder.mkdir()
        (folder / "code.asm").write_text(
            "start:\n        mov ax, 1\n            mov bx, 2\n    ret\n")
        (folder / "a.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg"><title>A drawing</title></svg>')
        assert old in SAMPLE
        (folder / "sample.md").write_text(SAMPLE.replace(old, new) if old else SAMPLE)
        return Post(folder / "sample.md", folder)

    return write


def test_the_checks_accept_a_right_post(sample):
    """A post in which all is right raises no complaint."""
    post = sample()
    for check in (posts.wrong_excerpts, posts.wrong_consoles, posts.dead_links,
                  posts.machine_paths):
        assert check(post) == []
    assert post.front_matter["title"] == "A sample"
    assert posts.wrong_picture(post.root / "a.svg") == []
    assert post.anchors == {"the-first-of-two", "the-second"}


@pytest.mark.parametrize("check, old, new, expected", [
    ("wrong_excerpts", "    mov bx, 2", "    mov bx, 3", "-    mov bx, 2\n+    mov bx, 3"),
    ("wrong_excerpts", "mov ax, 1\n", "mov ax, 1\n\n", "not in code.asm"),
    ("wrong_excerpts", "    mov bx", "mov bx", "not in code.asm"),
    ("wrong_excerpts", "code.asm\"", "gone.asm\"", "there is no file gone.asm"),
    ("wrong_consoles", "file'\nhello", "file'\nHello", "-Hello\n+hello"),
    ("wrong_consoles", "three ...", "three", "+three 3"),
    ("wrong_consoles", "three ...", "t...e 4", "+three 3"),
    ("wrong_consoles", "one\n...", "two\n...", "+one"),
    ("wrong_consoles", "$ basename", "$ exit\n$ basename", "was not reached"),
    ("wrong_consoles", "$ basename", "$ make test\n$ basename", "not run"),
    ("dead_links", "(code.asm)", "(gone.asm)", "gone.asm does not exist"),
    ("dead_links", "#the-second", "#the-third", "no heading #the-third"),
    ("dead_links", "![a drawing]", "![]", "no alternative text"),
    ("dead_links", "![a drawing](a.svg)", '<img src="b.svg">', "b.svg does not exist"),
    ("machine_paths", "See", "See /home/me/first-light", "/home/me"),
])
def test_the_checks_find_what_is_wrong(sample, check, old, new, expected):
    """One thing wrong in a post is one complaint, which shows the difference."""
    complaints = getattr(posts, check)(sample(old, new))
    assert len(complaints) == (2 if "<img" in new else 1)
    assert expected in "\n".join(complaints)


def test_the_checks_find_a_drawing_without_words(tmp_path):
    """An SVG without <title>, and a file that is no XML."""
    for text, expected in (('<svg xmlns="http://www.w3.org/2000/svg"/>', "no <title>"),
                           ("<svg>", "not well-formed")):
        (tmp_path / "a.svg").write_text(text)
        assert expected in posts.wrong_picture(tmp_path / "a.svg")[0]


def test_what_is_typed_to_gdb_is_checked_too(tmp_path):
    """Lines behind the prompt go to the command; its answers are compared."""
    page = tmp_path / "copy" / "page.md"
    page.parent.mkdir()
    gdb = "printf '(gdb) '; while read -r line; do printf '%s!\\n(gdb) ' \"$line\"; done"
    for shown, right in (("hello!", True), ("hallo!", False)):
        page.write_text(f"```console\n$ {gdb}\n(gdb) hello\n{shown}\n(gdb)\n```\n")
        assert (posts.wrong_consoles(Post(page, page.parent)) == []) is right
