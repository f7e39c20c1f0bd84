"""The small font of icons has the icons that are shown, and not the others."""

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from frontend.files import SOURCE
from frontend.icons import FILE, icons_of_app, icons_of_scripts, keep_icons

MEDIA = SOURCE / "static" / "media"


def shown(font: TTFont) -> set[str]:
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    tables = [
        getattr(outer, "ExtSubTable", outer)
        for lookup in font["GSUB"].table.LookupList.Lookup
        for outer in lookup.SubTable
    ]
    return {
        "".join(letters[glyph] for glyph in (first, *each.Component))
        for table in tables
        for first, ligatures in table.ligatures.items()
        for each in ligatures
    }


@pytest.fixture
def font() -> TTFont:
    (path,) = MEDIA.glob(f"{FILE}.*.woff2")
    return TTFont(path)


def test_only_the_named_icons_stay(font: TTFont) -> None:
    keep_icons(font, ["home", "arrow_back", "no_such_icon"])
    # Some icons have a second name.
    assert {"home", "arrow_back"} <= shown(font)
    assert len(font.getGlyphOrder()) < 50
    assert "mail" not in shown(font)


def test_all_icons_of_the_app_and_of_streamlit_stay(font: TTFont) -> None:
    wanted = icons_of_app() | icons_of_scripts(SOURCE / "static" / "js")
    known = wanted & shown(font)
    keep_icons(font, wanted)
    assert known <= shown(font)
    assert {"home", "keyboard_double_arrow_right", "menu"} <= known
    assert icons_of_app() <= known, "icons that Streamlit's font does not have"


def test_icons_are_found_wherever_pages_name_them(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "ui" / "people").mkdir(parents=True)
    (tmp_path / "app.py").write_text('icon=":material/home:"')
    (tmp_path / "pages" / "a.py").write_text("'Text :material/mail: and :material/edit_note:'")
    (tmp_path / "ui" / "people" / "b.py").write_text('":material/badge:"')
    (tmp_path / "tests.txt").write_text(":material/lost:")
    assert icons_of_app(tmp_path) == {"home", "mail", "edit_note", "badge"}
