"""The wheel `local-supabase`, as somebody installs it who has nothing else of this repository."""

import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.wheels import build, install, run

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "packages" / "local-supabase"
EXAMPLE = PROJECT / "examples" / "local-supabase"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(PACKAGE, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Iterator[Path]:
    """Install the wheel and what it requires, and nothing else; the folder of the programs."""
    with tempfile.TemporaryDirectory() as name:
        # If root runs the tests, Postgres runs as another user, who must be able to enter.
        Path(name).chmod(0o755)
        yield install(Path(name), f"{wheel}[test]")


def test_the_wheel_holds_all_files_of_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    source = (path for path in (PROJECT / "local_supabase").rglob("*") if path.is_file())
    expected = {path.relative_to(PROJECT).as_posix() for path in source if "__pycache__" not in path.parts}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert "local_supabase/py.typed" in expected


def test_its_requirements_allow_the_versions_that_are_tested_here() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", _requirements(), re.M))
    versions = {name.lower(): version for name, version in pinned.items()}
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    texts = [
        *project["dependencies"],
        *(text for more in project["optional-dependencies"].values() for text in more),
    ]
    wanted = [Requirement(text) for text in texts]
    refused = [str(each) for each in wanted if versions.get(each.name.lower(), "0") not in each.specifier]
    assert refused == []


def _requirements() -> str:
    return "\n".join((PROJECT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))


# It downloads and installs, and its own time includes that.
@pytest.mark.timeout(400)
def test_the_tests_of_the_example_pass_with_nothing_but_the_wheel(environment: Path, tmp_path: Path) -> None:
    example = tmp_path / "example"
    shutil.copytree(EXAMPLE, example, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    tests: list[str | Path] = [environment / "python", "-m", "pytest", "-q", "-W", "error"]
    tested = run(tests, cwd=example, LOCAL_SUPABASE_CACHE_DIR=str(tmp_path / "cache"))
    number = len(re.findall(r"^def test_", (example / "tests" / "test_tasks.py").read_text(), re.M))
    assert re.search(rf"^{number} passed", tested.stdout, re.M), tested.stdout + tested.stderr


def test_the_command_is_installed(environment: Path, tmp_path: Path) -> None:
    shown = run([environment / "local-supabase", "status"], cwd=tmp_path)
    assert (shown.returncode, shown.stdout) == (1, "stopped\n")
