"""The page made from the docstrings."""

from pathlib import Path

import livetables
from livetables.library.reference import reference

PAGE = Path(__file__).resolve().parents[3] / "docs" / "livetables-api.md"


def test_the_page_is_as_the_docstrings_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "Run: python -m livetables.library.reference > docs/livetables-api.md"
    )


def test_each_public_name_has_an_entry_with_its_text() -> None:
    page = reference()
    for name in livetables.__all__:
        assert f"\n### {name}\n\n" in page
    assert "- `order`: the columns to sort by" in page
