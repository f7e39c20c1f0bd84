"""A small copy of Streamlit's font of icons, with those icons that the app and Streamlit's scripts name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY: Final = "Material Symbols Rounded"
FILE: Final = "MaterialSymbols-Rounded"
LETTERS: Final = " abcdefghijklmnopqrstuvwxyz0123456789_"
"""What the name of an icon is written with. The font shows a whole name as its icon."""

_PROJECT: Final = Path(__file__).parents[1]
_FOLDERS: Final = ("pages", "ui")
_NAME: Final = re.compile(r"material/([a-z0-9_]+)")


def icons_of_app(project: Path = _PROJECT) -> frozenset[str]:
    """Return the names of the icons that the app's own files name."""
    paths = [*project.glob("*.py"), *(path for each in _FOLDERS for path in project.glob(f"{each}/**/*.py"))]
    return frozenset(name for path in paths for name in _names(path))


def icons_of_scripts(scripts: Path) -> frozenset[str]:
    """Return the names of the icons that Streamlit's scripts name."""
    return frozenset(name for path in scripts.glob("*.js") for name in _names(path))


def keep_icons(font: TTFont, names: Iterable[str]) -> None:
    """Leave only these icons in the font, and the letters of their names."""
    letters = font.getBestCmap()
    wanted = set(names)
    glyphs = {glyph for name, glyph in _ligatures(font) if name in wanted}
    options = Options()
    options.layout_features = ["*"]
    # All names are made of the same letters, so the closure would be the whole font.
    options.layout_closure = False
    options.hinting = False
    subsetter = Subsetter(options)
    subsetter.populate(
        unicodes=[ord(each) for each in LETTERS if ord(each) in letters], glyphs=sorted(glyphs)
    )
    subsetter.subset(font)


def _names(path: Path) -> Iterator[str]:
    return (found[1] for found in _NAME.finditer(path.read_text(encoding="utf-8")))


def _ligatures(font: TTFont) -> Iterator[tuple[str, str]]:
    """Yield each name that the font knows, with the glyph that it shows for it."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for outer in lookup.SubTable:
            table = getattr(outer, "ExtSubTable", outer)
            for first, ligatures in getattr(table, "ligatures", {}).items():
                for each in ligatures:
                    yield (
                        "".join(letters.get(glyph, "?") for glyph in (first, *each.Component)),
                        each.LigGlyph,
                    )
