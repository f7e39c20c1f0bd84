"""The search in Streamlit's select boxes, by any spelling of a name.

Streamlit looks for the typed letters as they are written, so `jose` would not find José. The page has an
import map that puts `search.js` in place of Streamlit's script with the filter. The names of scripts and of
what they export are made new with each Streamlit, so they are found by what the filter does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from frontend.scripts import own_script

_FILTER: Final = re.compile(
    r"function (?P<name>[\w$]+)\(\w+,(?P<query>\w+),(?P<mode>\w+)\)"
    r"\{if\(!(?P=query)\|\|(?P=mode)===[\w.]+\.FILTER_MODE_NONE\)return"
)
_EXPORTED: Final = r"export\{{[^}}]*\b{name} as (?P<exported>[\w$]+)"
_FOLDER: Final = "./static/js/"


@dataclass(frozen=True, slots=True)
class Search:
    """The script that searches by any spelling: the names of its file and of Streamlit's, and its text."""

    name: str
    text: str
    original: str

    @property
    def imports(self) -> dict[str, object]:
        """What an import map says to put it in place."""
        original, own = _FOLDER + self.original, _FOLDER + self.name
        return {"imports": {original: own}, "scopes": {own: {original: original}}}

    @property
    def import_map(self) -> str:
        """The element of the page that puts it in place. It comes before all scripts."""
        return f'<script type="importmap">{json.dumps(self.imports)}</script>'


def make_search(scripts: Path, plain: Mapping[str, str]) -> Search | None:
    """Return the script; None if the Streamlit of these scripts has no filter that is known.

    Arguments:
        scripts: the folder of Streamlit's scripts.
        plain: what people type in place of single characters.
    """
    for path in sorted(scripts.glob("*.js")):
        text = path.read_text(encoding="utf-8")
        found = _FILTER.search(text) if "FILTER_MODE_NONE" in text else None
        exported = re.search(_EXPORTED.format(name=re.escape(found["name"])), text) if found else None
        if exported:
            return _of(path.name, exported["exported"], plain)
    return None


def _of(original: str, exported: str, plain: Mapping[str, str]) -> Search:
    text = own_script("search").replace("ORIGINAL", f"./{original}").replace("FILTER", exported)
    text = text.replace("(PLAIN)", f"({json.dumps(dict(plain), ensure_ascii=False)})")
    return Search(f"search.{hashlib.sha256(text.encode()).hexdigest()[:8]}.js", text, original)
