"""From a chosen file to the picture that others see."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from db.hub.pictures import LIMIT, SIDE, is_small
from tests.support.pictures import BLUE, PLACE, RED, halves, is_like, photo, written
from ui.base.image import Crop, PictureError, opened, preview, square

WHITE = (255, 255, 255)


def shown(content: bytes) -> Image.Image:
    """Read a finished picture."""
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_each_kind_of_file_becomes_a_small_square(kind: str) -> None:
    picture = square(opened(photo(kind)), Crop())
    image = shown(picture)
    assert (image.format, image.size) == ("WEBP", (SIDE, SIDE))
    assert len(picture) < LIMIT
    assert is_small(picture)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nothing_is_left_of_what_a_file_says_beside_its_pixels(kind: str) -> None:
    content = photo(kind)
    assert PLACE in shown(content).getexif()
    for made in (square(opened(content), Crop()), preview(opened(content))):
        image = shown(made)
        assert dict(image.getexif()) == {}
        assert image.info.keys() & {"exif", "xmp", "icc_profile", "comment"} == set()


def test_a_photo_stands_upright() -> None:
    # Held so that the left side of the file is the top.
    image = opened(photo(turned=6))
    assert image.size == (200, 300)
    assert is_like(image.getpixel((100, 10)), RED)
    assert is_like(image.getpixel((100, 290)), BLUE)


def test_transparent_parts_are_white() -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    for kind in ("PNG", "WEBP", "GIF"):
        assert is_like(opened(written(image, kind)).getpixel((5, 5)), WHITE), kind


def test_sixteen_bits_of_gray_keep_their_shades() -> None:
    assert is_like(
        opened(written(Image.new("I;16", (64, 64), 0x8000), "PNG")).getpixel((5, 5)), (128, 128, 128)
    )


def test_of_moving_pictures_the_first_is_taken() -> None:
    first, second = Image.new("RGB", (64, 64), RED), Image.new("RGB", (64, 64), BLUE)
    for kind in ("GIF", "WEBP", "PNG"):
        content = written(first, kind, save_all=True, append_images=[second], duration=100)
        assert is_like(opened(content).getpixel((5, 5)), RED), kind


@pytest.mark.parametrize(
    ("crop", "color"),
    [
        (Crop(0.25, 0.5, 0.5), RED),
        (Crop(0.75, 0.5, 0.5), BLUE),
        (Crop(0, 0, 0.5), RED),  # moved into the picture
        (Crop(1, 1, 0), BLUE),  # not smaller than can be seen
    ],
)
def test_a_part_is_taken(crop: Crop, color: tuple[int, int, int]) -> None:
    image = shown(square(halves(), crop)).convert("RGB")
    assert is_like(image.getpixel((128, 128)), color)
    assert is_like(image.getpixel((10, 10)), color)


def test_the_file_is_small_whatever_the_picture_shows() -> None:
    noise = Image.merge("RGB", [Image.effect_noise((SIDE, SIDE), 255) for _ in range(3)])
    assert len(square(noise, Crop())) <= LIMIT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"%PDF-1.7", "not a picture"),
        (b"GIF89a", "not a picture|damaged"),
        (photo("PNG")[:200], "damaged"),
        (photo("JPEG")[:700], "damaged"),
        (photo("WEBP")[:100], "damaged"),
        (written(Image.new("RGB", (8, 300)), "PNG"), "too small"),
        (written(Image.new("RGB", (64, 64)), "TIFF"), "not a picture"),
    ],
    ids=["empty", "svg", "pdf", "gif", "cut png", "cut jpeg", "cut webp", "small", "tiff"],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_the_reason(content: bytes, words: str) -> None:
    with pytest.raises(PictureError, match=words):
        opened(content)


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that only says it has so many pixels."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


@pytest.mark.parametrize(
    "content",
    [
        png_of(6000, 6000),
        png_of(12000, 12000),
        png_of(1, 2**31 - 1),
        b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x00\x00\x00,"
        + struct.pack("<HHHH", 0, 0, 65535, 65535) + b"\x00\x08\x00;",
        b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\x3f\x00\xff\x3f\x00",
    ],
    ids=["png", "large png", "long png", "gif", "webp"],
)  # fmt: skip
def test_a_file_that_unfolds_to_very_many_pixels_is_not_unfolded(content: bytes) -> None:
    with pytest.raises(PictureError, match="too many pixels"):
        opened(content)


@given(
    kind=st.sampled_from(("PNG", "JPEG", "WEBP", "GIF")),
    cuts=st.lists(st.tuples(st.integers(0), st.binary(max_size=4)), max_size=6),
)
def test_a_damaged_file_gives_a_picture_or_a_reason(kind: str, cuts: list[tuple[int, bytes]]) -> None:
    content = bytearray(photo(kind))
    for at, other in cuts:
        start = at % len(content)
        content[start : start + len(other)] = other
    picture = _picture_or_reason(bytes(content))
    assert picture if isinstance(picture, str) else is_small(picture)


def _picture_or_reason(content: bytes) -> bytes | str:
    try:
        return square(opened(content), Crop())
    except PictureError as error:
        return str(error)
