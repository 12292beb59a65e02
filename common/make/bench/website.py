"""The part `website`: how long it takes to build, what a post weighs, what Lighthouse says.

It is built where it always is, in build/website, because its packages are beside its source.
"""
from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import doctor
from bench import ROOT, best, make, report

BUILD_MOST = 15.0                       # seconds
POST_MOST = 90.0                        # KB, as sent, without pictures
SCORE_LEAST = 98                        # in each category of Lighthouse
LIGHTHOUSE = ROOT / "website/lighthouse"


def website(_: Path) -> None:
    """Everything about the site; the reports of Lighthouse stay in build/lighthouse."""
    missing = missing_for_website()
    if missing:
        print(f"website: left out. {missing}")
        return
    make(ROOT, "website")               # so that the packages and the images are there
    report("website: build", best(lambda: make(ROOT, "website"), runs=3), BUILD_MOST)

    weights = node(ROOT / "website/tools/weigh.mjs")
    heaviest = max(weights, key=lambda post: sum(weights[post].values()))
    report(f"website: {heaviest}, the heaviest", sum(weights[heaviest].values()) / 1000, POST_MOST,
           "KB")
    print(f"  of it fonts, once for all posts: {weights[heaviest]['fonts'] / 1000:.1f} KB")

    subprocess.run(["npm", "ci", "--silent"], cwd=LIGHTHOUSE, check=True)
    for page, scores in node(LIGHTHOUSE / "run.mjs").items():
        for category, score in scores.items():
            report_points(f"Lighthouse, {page}: {category}", score)


def report_points(what: str, score: int) -> None:
    """Points lost of 100, because less has to be better."""
    report(f"{what}, lost", 100 - score, 100 - SCORE_LEAST, "")


def missing_for_website() -> str:
    """What is not here, in a sentence; empty if all is."""
    for tool in doctor.TOOLS:
        if tool.group == "website" and not doctor.find(tool, with_version=False).usable:
            return doctor.missing_sentence(tool.name, "")
    return ""


def node(script: Path) -> dict:
    """What a script of the website prints as JSON."""
    chromium = next(tool for tool in doctor.TOOLS if tool.name == "chromium")
    found = doctor.find(chromium, with_version=False).where
    program = doctor.OWN_NODE if doctor.OWN_NODE.exists() else shutil.which("node")
    return json.loads(subprocess.run(
        [str(program), str(script)], env={"CHROMIUM": found, **os.environ}, check=True, text=True,
        stdout=subprocess.PIPE).stdout)
