"""The wheel `streamlit-livetables`, and its examples, which tests/browser/test_examples.py runs."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import livetables
from livetables.database.migration import migration, write
from livetables.library import versions
from tests.support.wheels import build

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "packages" / "streamlit-livetables"
EXAMPLES = ("live-poll", "read-only-dashboard", "shopping-list")
REQUIRED = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["dependencies"]


def test_the_wheel_holds_all_files_of_the_package(tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(build(PACKAGE, tmp_path)).namelist())
    source = (path for path in (PROJECT / "livetables").rglob("*") if path.is_file())
    expected = {path.relative_to(PROJECT).as_posix() for path in source if "__pycache__" not in path.parts}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {"livetables/py.typed", "livetables/library/cookie.js"} <= expected
    assert f"streamlit_livetables-{livetables.__version__}.dist-info/METADATA" in names


def test_its_requirements_allow_the_versions_that_are_tested_here() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (PROJECT / "requirements.txt").read_text(), re.M))
    wanted = [Requirement(text) for text in REQUIRED]
    assert [str(each) for each in wanted if pinned[each.name] not in each.specifier] == []


def test_its_requirement_of_streamlit_is_what_connect_accepts() -> None:
    (first, second), (_, last) = versions.OLDEST, versions.NEWEST
    assert f"streamlit>={first}.{second},<{first}.{last + 1}" in REQUIRED


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_has_the_sql_of_the_newest_version(example: str) -> None:
    found = write(PROJECT / "examples" / example)
    assert not found.new
    assert found.path.name == "20260101000100_livetables.sql"
    assert found.path.read_text() == migration()


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_short(example: str) -> None:
    lines = (PROJECT / "examples" / example / "app.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) < 50
