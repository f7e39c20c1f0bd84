"""The folder's own scripts are sent without comments."""

from pathlib import Path

import pytest

import frontend
from frontend.scripts import own_script

FOLDER = Path(frontend.__file__).parent


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.js")))
def test_only_comments_are_left_out(name: str) -> None:
    lines = (FOLDER / f"{name}.js").read_text(encoding="utf-8").splitlines()
    assert own_script(name).splitlines() == [line for line in lines if not line.lstrip().startswith("//")]
