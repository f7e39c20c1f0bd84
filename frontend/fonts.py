"""Small copies of Streamlit's fonts with Latin letters, for the first page.

Each of Streamlit's fonts has the letters of all its alphabets: 600 kB for the two that every page shows. A
browser takes a letter from the small copy where that has it, and loads the whole font only for others.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer


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
_FACE: Final = (
    '@font-face{{font-family:"{family}";font-weight:100 900;font-style:normal;'
    'src:url(./static/media/{name})format("woff2");unicode-range:{ranges}}}'
)


def make_small_fonts(media: Path) -> None:
    """Write the small copies beside the fonts in this folder."""
    for font in FONTS:
        for path in media.glob(f"{font.file}.*.woff2"):
            content = _small(path, font.fixed)
            mark = hashlib.sha256(content).hexdigest()[:8]
            (media / f"{font.file}-latin.{mark}.woff2").write_bytes(content)


def small_faces(media: Path) -> str:
    """Return the styles that let browsers use the small copies in this folder."""
    ranges = ",".join(f"U+{first:X}-{last:X}" for first, last in _RANGES)
    return "".join(
        _FACE.format(family=font.family, name=path.name, ranges=ranges)
        for font in FONTS
        for path in sorted(media.glob(f"{font.file}-latin.*.woff2"))
    )


def _small(path: Path, fixed: Mapping[str, float]) -> bytes:
    with TTFont(path) as font:
        options = Options()
        options.layout_features = list(_FEATURES)
        options.hinting = False
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[code for first, last in _RANGES for code in range(first, last + 1)])
        subsetter.subset(font)
        axes = {axis.axisTag for axis in font["fvar"].axes}
        small = instancer.instantiateVariableFont(font, {tag: at for tag, at in fixed.items() if tag in axes})
        small.flavor = "woff2"
        target = io.BytesIO()
        small.save(target)
        return target.getvalue()
