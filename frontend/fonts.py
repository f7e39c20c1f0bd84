"""Small copies of Streamlit's fonts with Latin letters, for the first page.

Each of Streamlit's fonts has the letters of all its alphabets: 600 kB for the two that every page shows. A
browser takes a letter from the small copy where that has it, and loads the whole font only for others. The
font of icons has four thousand in 375 kB, and its small copy those that the app shows.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

from frontend import icons


@dataclass(frozen=True, slots=True)
class Font:
    """A font of Streamlit's: its family, the beginning of its file's name, and axes that get one value."""

    family: str
    file: str
    fixed: Mapping[str, float]


FONTS: Final = (
    Font("Source Sans", "SourceSansVF-Upright", {}),
    # The optical size of titles.
    Font("Source Serif", "SourceSerifVariable-Roman", {"opsz": 32}),
)

_RANGES: Final = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x2BB, 0x2BC), (0x2010, 0x2027), (0x2030, 0x203A), (0x20AC, 0x20AC),
    (0x2122, 0x2122), (0x2190, 0x2193), (0x2212, 0x2212),
)  # fmt: skip
"""ASCII, the Latin letters of Europe, punctuation, and a few signs."""
_FEATURES: Final = ("kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "tnum")
# The same descriptors as Streamlit's, so that browsers take both for one font.
_FACE: Final = '@font-face{{font-family:"{family}";{descriptors};src:{sources};unicode-range:{ranges}}}'
# Text is shown at once in another font, until this one has come.
_TEXT: Final = "font-weight:100 900;font-style:normal;font-display:swap"
_ICONS: Final = "font-style:normal;font-weight:400;font-display:block"
_NAME_RANGE: Final = "U+30-39,U+5F,U+61-7A"
"""The letters of the names of icons."""
_ORIGINAL: Final = re.compile(
    r"(?P<face>@font-face{font-family:(?P<family>[^;}]+);(?![^}]*unicode-range)[^}]*font-style:normal[^}]*)}"
)
_NARROWED: Final = {
    # Streamlit loads the font of icons for a space before anything is shown; the small copy has that.
    icons.FAMILY: _NAME_RANGE,
    # No font of text has emoji, but a browser would load it to see.
    **{font.family: "U+0-1EFFF,U+1FB00-10FFFF" for font in FONTS},
}


def make_small_fonts(media: Path, names: Iterable[str] = ()) -> None:
    """Write the small copies beside the fonts in this folder.

    Arguments:
        media: the folder.
        names: icons that Streamlit's scripts show, besides those of the app.
    """
    for font in FONTS:
        for path in media.glob(f"{font.file}.*.woff2"):
            _write(path, f"{font.file}-latin", partial(_latin, fixed=font.fixed))
    make_small_icons(media, names)


def make_small_icons(media: Path, names: Iterable[str] = ()) -> None:
    """Write the small copy of the font of icons, unless it is there."""
    wanted = icons.icons_of_app()
    name = _icons_file(wanted)
    if not any(media.glob(f"{name}.*")):
        for path in media.glob(f"{icons.FILE}.*.woff2"):
            _write(path, name, lambda font: icons.keep_icons(font, wanted.union(names)))


def small_faces(media: Path) -> str:
    """Return the styles that let browsers use the small copies in this folder."""
    ranges = ",".join(f"U+{first:X}-{last:X}" for first, last in _RANGES)
    faces = [(font.family, _TEXT, f"{font.file}-latin", ranges) for font in FONTS]
    # A copy from before an icon was added does not count.
    faces.append((icons.FAMILY, _ICONS, _icons_file(icons.icons_of_app()), f"U+20,{_NAME_RANGE}"))
    styles = [
        _FACE.format(
            family=family, descriptors=descriptors, ranges=within,
            sources=f'url(./static/media/{path.name})format("woff2")',
        )
        for family, descriptors, file, within in faces
        for path in sorted(media.glob(f"{file}.*.woff2"))
    ]  # fmt: skip
    return "".join(styles)


def narrow_faces(styles: str) -> str:
    """Return Streamlit's styles so that browsers load its whole fonts for fewer letters."""
    return _ORIGINAL.sub(_narrowed, styles)


def _narrowed(found: re.Match[str]) -> str:
    within = _NARROWED.get(found["family"].strip("\"'"))
    return f"{found['face']};unicode-range:{within}}}" if within else found[0]


def _icons_file(names: Iterable[str]) -> str:
    return f"{icons.FILE}-{hashlib.sha256(' '.join(sorted(names)).encode()).hexdigest()[:8]}"


def _write(path: Path, name: str, change: Callable[[TTFont], TTFont | None]) -> None:
    with TTFont(path) as font:
        small = change(font) or font
        small.flavor = "woff2"
        target = io.BytesIO()
        small.save(target)
    content = target.getvalue()
    path.with_name(f"{name}.{hashlib.sha256(content).hexdigest()[:8]}.woff2").write_bytes(content)


def _latin(font: TTFont, fixed: Mapping[str, float]) -> TTFont:
    options = Options()
    options.layout_features = list(_FEATURES)
    options.hinting = False
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[code for first, last in _RANGES for code in range(first, last + 1)])
    subsetter.subset(font)
    axes = {axis.axisTag for axis in font["fvar"].axes}
    return instancer.instantiateVariableFont(font, {tag: at for tag, at in fixed.items() if tag in axes})
