"""Checks of a Markdown document: broken links, headings out of order, style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

LONGEST_LINE: Final = 200
"""Characters; tables and links may be longer."""

_FENCE: Final = re.compile(r"^\s*(```|~~~)")
_HEADING: Final = re.compile(r"(#{1,6})\s+(?=\S)")
# Nothing in it is tried twice, so that a long line of brackets takes no long time.
_LINK: Final = re.compile(r"!?\[[^\[\]]*+\]\(\s*+<?([^()\s>]++)>?[^()]*+\)")
_CODE: Final = re.compile(r"`[^`]*`")
_EXTERNAL: Final = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem in a document, with its line, counted from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a document contains, and the problems in it."""

    links: int
    headings: int
    findings: tuple[Finding, ...]


def documents(root: Path) -> list[Path]:
    """Return the Markdown files at the top of a project and in its `docs`."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def check(path: Path) -> Report:
    """Check one document. Raises `OSError` or `UnicodeDecodeError` when it cannot be read."""
    lines = path.read_text(encoding="utf-8").splitlines()
    prose = list(_prose(lines))
    links = [(number, target) for number, line in prose for target in _LINK.findall(_CODE.sub("", line))]
    headings = [
        (number, len(match[1]), line[match.end() :].rstrip().rstrip("#").rstrip())
        for number, line in prose
        if (match := _HEADING.match(line))
    ]
    findings = [
        *_broken_links(path, links, headings),
        *_out_of_order(headings),
        *_style(prose),
    ]
    return Report(len(links), len(headings), tuple(sorted(findings, key=lambda finding: finding.line)))


def _prose(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines outside fenced code."""
    fenced = False
    for number, line in enumerate(lines, start=1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def _broken_links(
    path: Path, links: list[tuple[int, str]], headings: list[tuple[int, int, str]]
) -> Iterator[Finding]:
    anchors = {_anchor(text) for _, _, text in headings}
    for number, target in links:
        if _EXTERNAL.match(target):
            continue
        file, _, anchor = unquote(target).partition("#")
        if file and not (path.parent / file).exists():
            yield Finding(number, f"the link to {target} leads nowhere")
        elif not file and anchor and anchor not in anchors:
            yield Finding(number, f"there is no heading for the link to #{anchor}")


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def _out_of_order(headings: list[tuple[int, int, str]]) -> Iterator[Finding]:
    if not headings:
        yield Finding(1, "there is no heading")
        return
    seen: set[tuple[int, str]] = set()
    before = 0
    for number, level, text in headings:
        if level > before + 1:
            yield Finding(number, f"a heading of level {level} follows one of level {before}")
        if (level, text) in seen:
            yield Finding(number, f"there are two headings {text!r}")
        seen.add((level, text))
        before = level
    if sum(1 for _, level, _ in headings if level == 1) > 1:
        yield Finding(headings[0][0], "there is more than one title")


def _style(prose: list[tuple[int, str]]) -> Iterator[Finding]:
    for number, line in prose:
        if line != line.rstrip() and not line.endswith("  "):
            yield Finding(number, "there are spaces at the end of the line")
        if "\t" in line:
            yield Finding(number, "there is a tab")
        if len(line) > LONGEST_LINE and not line.lstrip().startswith("|") and "](" not in line:
            yield Finding(number, f"the line has {len(line)} characters")
