"""The small scripts of the first page in one file: one answer to wait for in place of seventy.

Streamlit's first script imports eighty others, most of them of less than a kilobyte, and a browser asks a
server for six files at a time. `bundle.js` in the page makes modules of the texts in the file, and an import
map puts them in place of Streamlit's files. Large scripts stay files, because a browser keeps them compiled.
Without the file, the page loads every script by itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from frontend.scripts import own_script

_SMALL: Final = 60_000
"""Bytes. Nearly all files of the first page are smaller; they are a quarter of what it loads."""
_MARK: Final = "@folder@/"
_IMPORTED: Final = re.compile(
    r"(?P<before>\b(?:from|import)\s*\(?\s*)(?P<quote>[\"'`])\./(?P<name>[\w.-]+\.js)(?P=quote)"
)
_FILE: Final = "first.*.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The file with the small scripts, and the names of the scripts in it."""

    file: str
    scripts: frozenset[str]

    def loader(self, entry: str, imports: Mapping[str, object]) -> str:
        """Return the element of the page that starts the app with this file.

        Arguments:
            entry: the name of Streamlit's first script.
            imports: what else the import map says.
        """
        arguments = ", ".join(json.dumps(each) for each in (self.file, entry, _MARK, imports))
        return f"<script>{own_script('bundle').strip().replace('(ARGUMENTS)', f'({arguments})')}</script>"


def write_bundle(scripts: Path, names: Iterable[str], apart: Iterable[str] = ()) -> None:
    """Write the file beside the scripts.

    Arguments:
        scripts: the folder of Streamlit's scripts.
        names: the scripts of the first page.
        apart: scripts that stay files, whatever their size.
    """
    kept = set(apart)
    texts = {name: (scripts / name).read_text(encoding="utf-8") for name in names if name not in kept}
    content = json.dumps(
        {name: _IMPORTED.sub(_marked, text) for name, text in texts.items() if _can_move(text)},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    (scripts / _FILE.replace("*", hashlib.sha256(content).hexdigest()[:8])).write_bytes(content)


def find_bundle(scripts: Path) -> Bundle | None:
    """Return the file in this folder; None if there is none."""
    for path in sorted(scripts.glob(_FILE)):
        return Bundle(path.name, frozenset(json.loads(path.read_text(encoding="utf-8"))))
    return None


def _can_move(text: str) -> bool:
    # A script that asks for its own address has to be at it.
    return len(text) < _SMALL and "import.meta" not in text and _MARK not in text


def _marked(found: re.Match[str]) -> str:
    return f"{found['before']}{found['quote']}{_MARK}{found['name']}{found['quote']}"
