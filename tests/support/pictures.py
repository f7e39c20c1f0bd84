"""Files of pictures, as cameras and programs write them."""

from __future__ import annotations

import io

from PIL import Image

PLACE = 0x8825
"""The EXIF tag of where a photo was taken."""
TURNED = 0x0112
"""The EXIF tag of how a photo was held."""

RED, BLUE = (200, 30, 30), (30, 30, 200)


def halves(width: int = 300, height: int = 200) -> Image.Image:
    """Return a picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def photo(kind: str = "JPEG", *, turned: int = 1) -> bytes:
    """Return `halves` as a file that tells its place and how it was held."""
    exif = Image.Exif()
    exif[TURNED] = turned
    exif[PLACE] = {1: "N", 2: (52.0, 31.0, 12.0)}
    return written(halves(), kind, exif=exif) if kind != "GIF" else written(halves(), kind)


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return a picture as a file."""
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def is_like(color: object, wanted: tuple[int, int, int]) -> bool:
    """Whether a pixel has about this color; files that lose detail change it a little."""
    return isinstance(color, tuple) and all(
        abs(one - other) < 30 for one, other in zip(color, wanted, strict=True)
    )
