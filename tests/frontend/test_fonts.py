"""Small fonts have the letters of Latin alphabets, and say so."""

import re
import shutil
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from frontend.files import SOURCE
from frontend.fonts import FONTS, make_small_fonts, narrow_faces, small_faces
from frontend.icons import FAMILY, FILE

MEDIA = SOURCE / "static" / "media"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for font in FONTS:
        for path in MEDIA.glob(f"{font.file}.*"):
            shutil.copy(path, folder)
    make_small_fonts(folder)
    return folder


def test_each_font_has_a_small_copy_with_the_letters_that_its_style_names(media: Path) -> None:
    faces = re.findall(
        r"url\(\./static/media/([^)]+)\)format\(\"woff2\"\);unicode-range:([^}]+)}", small_faces(media)
    )
    assert len(faces) == len(FONTS)
    for name, ranges in faces:
        assert re.search(r"\.[\w-]{8}\.\w+$", name), "no hash, so it would not be kept by browsers"
        assert (media / name).stat().st_size < 60_000
        with TTFont(media / name) as font:
            letters = font.getBestCmap()
        assert set(map(ord, "Tavern ÄÖÜß éèñ Łódź Şişli – “…” €")) <= letters.keys()
        named = [
            range(int(first, 16), int(last, 16) + 1) for first, last in re.findall(r"U\+(\w+)-(\w+)", ranges)
        ]
        assert all(any(letter in each for each in named) for letter in map(ord, "Łß”€"))
        assert not any(ord("д") in each for each in named), "the whole font has it"


def test_the_families_are_streamlits(media: Path) -> None:
    styles = "".join(
        path.read_text(encoding="utf-8") for path in (SOURCE / "static" / "css").glob("index.*.css")
    )
    for font in FONTS:
        original = re.search(
            rf"@font-face{{font-family:{font.family};([^}}]*);src:url\(\.\./media/{font.file}\.", styles
        )
        assert original, font.family
        assert original[1] in small_faces(media)


def test_the_icons_of_the_app_come_in_a_copy_of_a_twentieth(tmp_path: Path) -> None:
    for path in MEDIA.glob(f"{FILE}.*"):
        shutil.copy(path, tmp_path)
    (whole,) = tmp_path.iterdir()
    make_small_fonts(tmp_path)
    (small,) = tmp_path.glob(f"{FILE}-*")
    assert small.stat().st_size < whole.stat().st_size / 20
    assert f'@font-face{{font-family:"{FAMILY}"' in small_faces(tmp_path)
    assert small.name in small_faces(tmp_path)


def test_a_copy_without_an_icon_of_the_app_is_not_used(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}-12345678.abcdefgh.woff2").write_bytes(b"of another day")
    assert small_faces(tmp_path) == ""


def test_whole_fonts_are_not_loaded_for_what_they_lack() -> None:
    (path,) = (SOURCE / "static" / "css").glob("index.*.css")
    original = path.read_text(encoding="utf-8")
    narrowed = narrow_faces(original)
    ranges = dict(
        re.findall(r"font-family:([^;]+);[^}]*font-style:normal[^}]*;unicode-range:([^}]+)}", narrowed)
    )
    assert {*(font.family for font in FONTS), FAMILY} <= ranges.keys()
    assert "U+20" not in ranges[FAMILY]
    assert re.sub(r";unicode-range:[^}]+}", "}", narrowed) == re.sub(r";unicode-range:[^}]+}", "}", original)
