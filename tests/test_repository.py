"""The rules of this repository that no linter checks."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "app.py",
    "asgi.py",
    "process.py",
    "api",
    "ratings",
    "pages",
    "ui",
    "realtime_handlers",
    "live",
    "demo_agent",
    "publish",
    "db",
    "local_supabase",
    "bench",
    "tests",
)
LONGEST_FILE = 400  # lines

# A longer file, and why one file is better than two.
LONG_FILES = {
    "tests/local_supabase/realtime/test_changes_end_to_end.py": "every rule of one channel, on one stream",
}


def _python_files(*roots: str) -> list[Path]:
    found: list[Path] = []
    for root in roots or PACKAGES:
        path = PROJECT / root
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def _name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def _importing(module: str, *roots: str) -> set[str]:
    return {
        _name(path)
        for path in _python_files(*roots)
        if any(name == module or name.startswith(f"{module}.") for name in _imported(path))
    }


def _documents() -> list[Path]:
    return [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").rglob("*.md"))]


def test_the_readme_is_short_and_shows_the_app() -> None:
    readme = (PROJECT / "README.md").read_text()
    pictures = re.findall(r"!\[[^\]]+\]\((\S+\.png)\)", readme)
    assert len(readme.splitlines()) < 150
    assert pictures
    assert all((PROJECT / picture).is_file() for picture in pictures)


def test_files_are_short_or_listed_with_a_reason() -> None:
    long = {_name(path) for path in _python_files() if len(path.read_text().splitlines()) > LONGEST_FILE}
    assert long == set(LONG_FILES)


def test_only_two_files_of_the_engine_know_streamlit_and_one_its_private_runtime() -> None:
    assert len(_importing("streamlit", "live")) <= 2
    assert _importing("streamlit.runtime", "live") <= {"live/rerun.py"}
    app = (
        "app.py",
        "asgi.py",
        "process.py",
        "pages",
        "ui",
        "realtime_handlers",
        "db",
        "api",
        "ratings",
        "publish",
    )
    # The type of what `st.file_uploader` returns is documented and has no shorter name.
    documented = _importing("streamlit.runtime.uploaded_file_manager", *app)
    assert _importing("streamlit.runtime", *app) <= documented


def test_the_imports_follow_the_architecture() -> None:
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_two_requirements_for_speed_and_privacy_are_configured() -> None:
    settings = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())
    assert settings["runner"]["postScriptGC"] is False
    assert settings["browser"]["gatherUsageStats"] is False


def test_nothing_is_left_for_later_in_the_code() -> None:
    marker = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    assert [_name(path) for path in _python_files() if marker.search(path.read_text())] == []


def test_every_exception_to_a_check_names_the_check() -> None:
    bare = re.compile(r"# noqa(?!: [A-Z]+\d+)|# type: ignore(?!\[)")
    here = Path(__file__)
    assert [_name(path) for path in _python_files() if path != here and bare.search(path.read_text())] == []


def test_tests_wait_for_conditions_and_never_sleep() -> None:
    sleep = re.compile(r"\b(time|asyncio|anyio)\.sleep\((?!0\))|wait_for_timeout\(")
    # Waiting itself, this rule, a process that is held up and bytes that are delayed on purpose.
    may = {
        "tests/support/wait.py",
        _name(Path(__file__)),
        "tests/live/test_faults.py",
        "tests/live/fault_proxy.py",
    }
    sleepers = {_name(path) for path in _python_files("tests") if sleep.search(path.read_text())}
    assert sleepers <= may


def test_the_changelog_is_dated_newest_first_and_up_to_date() -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", changelog, re.M)
    days = [date.fromisoformat(day) for _, day in released]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert days == sorted(days, reverse=True)
    assert released[0][0] == project["version"]


def test_decisions_are_dated_and_name_alternatives() -> None:
    notes = sorted((PROJECT / "docs" / "decisions").glob("*.md"))
    assert notes
    for note in notes:
        text = note.read_text()
        assert re.search(r"^\d{4}-\d{2}-\d{2}$", text, re.M), f"{note.name} has no date"
        assert "## Alternatives" in text, f"{note.name} names no alternatives"


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = []
    for document in _documents():
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (document.parent / target.split("#")[0]).exists():
                broken.append(f"{_name(document)}: {target}")
    assert broken == []


def test_every_dependency_is_pinned_and_explained() -> None:
    explained = (PROJECT / "docs" / "architecture.md").read_text()
    for line in (PROJECT / "requirements.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        assert re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", line), f"not pinned: {line}"
        name = re.split(r"\[|==", line)[0]
        assert f"`{name}`" in explained, f"docs/architecture.md does not say why {name} is here"


@pytest.mark.parametrize("setting", ["SUPABASE_URL", "SUPABASE_KEY", "SUPABASE_SERVICE_KEY", "DATABASE_URL"])
def test_every_setting_has_its_line_in_the_example(setting: str) -> None:
    assert re.search(rf"^{setting}=$", (PROJECT / ".env.example").read_text(), re.M)
