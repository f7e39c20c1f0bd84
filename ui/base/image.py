"""From a file that a person chose to the small square picture that others see.

What a file is, its bytes say, not its name. Nothing of it is kept but pixels: no place, no camera, no time.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from db.hub.pictures import LIMIT, SIDE, size_of_webp

TYPES: Final = ("png", "jpg", "jpeg", "webp", "gif")
"""The endings of names of files that can be chosen."""
MEGABYTES: Final = 10
"""Of a file that can be chosen."""

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
_MOST_PIXELS: Final = {"JPEG": 60_000_000, "MPO": 60_000_000}
_MOST_PIXELS_OF_OTHERS: Final = 25_000_000
"""They are unpacked whole; a JPEG is read at a smaller scale."""
_WORKING_SIDE: Final = 1024
"""Pixels of the longer side of a picture while its person chooses a part of it."""
_LEAST_SIDE: Final = 16
_PREVIEW_SIDE: Final = 512
_QUALITIES: Final = (84, 70, 50, 30)
_GROUND: Final = (255, 255, 255)

_one_at_a_time: Final = threading.Lock()
"""A picture of the largest size needs 100 MB of memory while it is opened."""


class PictureError(Exception):
    """The file is no picture that can be used. The message is for the person."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A square part of a picture: its center, and its side as a share of the picture's shorter side."""

    x: float = 0.5
    y: float = 0.5
    share: float = 1.0


def opened(content: bytes) -> Image.Image:
    """Read a file: upright, its first frame, on white where it is transparent, of a size to work with.

    Raises:
        PictureError: it is no picture, damaged, or too large or too small.
    """
    _check(size_of_webp(content), "WEBP")
    try:
        with _one_at_a_time, Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            _check(image.size, image.format or "")
            image.draft("RGB", (_WORKING_SIDE, _WORKING_SIDE))
            return _upright(image)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError("This is not a picture. Choose a PNG, JPEG, WebP or GIF file.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    # A damaged file can make a decoder raise anything.
    except Exception as error:
        raise PictureError("This picture is damaged. Choose another file.") from error


def _check(size: tuple[int, int] | None, kind: str) -> None:
    if size is None:
        return
    if size[0] * size[1] > _MOST_PIXELS.get(kind, _MOST_PIXELS_OF_OTHERS):
        raise _too_large()
    if min(size) < _LEAST_SIDE:
        raise PictureError(f"This picture is too small. It needs at least {_LEAST_SIDE} pixels each way.")


def _too_large() -> PictureError:
    return PictureError("This picture has too many pixels. Make it smaller, or choose another one.")


def _upright(image: Image.Image) -> Image.Image:
    """Return a new picture without anything that the file says beside it."""
    turned = ImageOps.exif_transpose(image)
    turned = _flat(turned)
    turned.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.LANCZOS)
    bare = Image.new("RGB", turned.size)
    bare.paste(turned)
    return bare


def _flat(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of gray
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, _GROUND)
    return Image.alpha_composite(ground, layer).convert("RGB")


def preview(image: Image.Image) -> bytes:
    """Return the picture as a WebP file for its own person, who chooses a part of it."""
    small = image.copy()
    small.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
    return _webp(small, 80)


def square(image: Image.Image, crop: Crop, pixels: int = SIDE, limit: int = LIMIT) -> bytes:
    """Return a part of the picture as the file that others see, of at most `limit` bytes.

    A part that leaves the picture is moved into it.
    """
    width, height = image.size
    side = min(width, height) * min(max(crop.share, 0.05), 1.0)
    left = min(max(crop.x * width - side / 2, 0), width - side)
    top = min(max(crop.y * height - side / 2, 0), height - side)
    part = image.resize((pixels, pixels), Image.Resampling.LANCZOS, (left, top, left + side, top + side))
    files = (_webp(part, quality) for quality in _QUALITIES)
    return next(file for file in files if len(file) <= limit)


def _webp(image: Image.Image, quality: int) -> bytes:
    target = io.BytesIO()
    image.save(target, "WEBP", quality=quality, method=4)
    return target.getvalue()
