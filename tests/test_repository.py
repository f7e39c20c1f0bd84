"""The rules of this repository that no linter checks."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "app.py",
    "asgi.py",
    "process.py",
    "request_guard.py",
    "api",
    "ratings",
    "pages",
    "ui",
    "realtime_handlers",
    "livetables",
    "demo_agent",
    "deploy",
    "publish",
    "db",
    "local_supabase",
    "bench",
    "tests",
)
LONGEST_FILE = 400  # lines


def _python_files(*roots: str) -> list[Path]:
    found: list[Path] = []
    for root in roots or PACKAGES:
        path = PROJECT / root
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
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


def test_files_are_short() -> None:
    long = {_name(path) for path in _python_files() if len(path.read_text().splitlines()) > LONGEST_FILE}
    assert long == set()


def test_only_two_files_of_the_engine_know_streamlit_and_one_its_private_runtime() -> None:
    library = set(map(_name, _python_files("livetables/library")))
    assert len(_importing("streamlit", "livetables") - library) <= 2
    assert _importing("streamlit.runtime", "livetables") <= {"livetables/rerun.py"}
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


def test_each_package_starts_tasks_and_threads_in_one_place() -> None:
    """There, what fails is recorded, and what cannot be started loses no work."""
    # `publish` and `ratings` use that of `db`, `api` and `pages` that of the engine.
    places = {f"{folder}/background.py" for folder in ("db", "livetables", "local_supabase", "ui/base")}
    product = [package for package in PACKAGES if package not in ("bench", "tests")]
    starting = {_name(path) for path in _python_files(*product) if any(_starts(_tree(path)))}
    assert starting == places


_STARTS = {"create_task", "ensure_future", "start_new_thread", "Thread", "Timer", "ThreadPoolExecutor"}


def _starts(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls that start a task, a thread or a pool of threads, except in a task group."""
    groups = {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name) and "TaskGroup" in ast.unparse(item.context_expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id=owner), attr="create_task") if owner in groups:
                continue
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in _STARTS:
                yield node


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
    # Waiting itself, this rule, a process that is held up, bytes that are delayed on purpose, attackers.
    may = {
        "tests/support/wait.py",
        _name(Path(__file__)),
        "tests/livetables/test_engine_faults.py",
        "tests/livetables/fault_proxy.py",
        "tests/security/hostile/acts.py",
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
        for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            path = document.parent / target if target else document
            if not path.exists() or (anchor and anchor not in _anchors(path)):
                broken.append(f"{_name(document)}: {link}")
    assert broken == []


def _anchors(document: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_pinned_and_explained(file: str) -> None:
    explained = (PROJECT / "docs" / "architecture.md").read_text()
    for line in (PROJECT / file).read_text().splitlines():
        if not line or line.startswith(("#", "-r ")):
            continue
        requirement = line.removesuffix('; sys_platform == "linux"')
        assert re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", requirement), f"not pinned: {line}"
        name = re.split(r"\[|==", line)[0]
        assert f"`{name}`" in explained, f"docs/architecture.md does not say why {name} is here"


@pytest.mark.parametrize(
    "setting",
    ["SUPABASE_URL", "SUPABASE_KEY", "TAVERN_METRICS_TOKEN", "SUPABASE_SERVICE_KEY", "DATABASE_URL"],
)
def test_every_setting_has_its_line_in_the_example(setting: str) -> None:
    assert re.search(rf"^{setting}=$", (PROJECT / ".env.example").read_text(), re.M)


def test_loggers_are_named_alike() -> None:
    others = {
        f"{_name(path)}: {target.id}"
        for path in _python_files()
        for node in _tree(path).body
        for target in _targets_of_logger(node)
        if target.id != "_log"
    }
    assert others == set()


def test_no_exception_is_frozen() -> None:
    # Python sets `__traceback__` of an exception that leaves a context manager. A frozen one refuses that,
    # and its own TypeError or FrozenInstanceError hides it.
    frozen = [
        f"{_name(path)}: {node.name}"
        for path in _python_files()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef) and _is_exception(node) and "frozen=True" in _decorators(node)
    ]
    assert frozen == []


def _is_exception(node: ast.ClassDef) -> bool:
    names = (node.name, *(ast.unparse(base) for base in node.bases))
    return any(name.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt")) for name in names)


def _decorators(node: ast.ClassDef) -> str:
    return " ".join(ast.unparse(decorator) for decorator in node.decorator_list)


def _targets_of_logger(node: ast.stmt) -> Iterator[ast.Name]:
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
        called = node.value.func
        if isinstance(called, ast.Attribute) and called.attr == "getLogger":
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target for target in targets if isinstance(target, ast.Name))


def test_every_path_that_a_document_or_the_makefile_names_is_there() -> None:
    folders = "|".join([*(each for each in PACKAGES if "." not in each), "docs", "supabase"])
    named = re.compile(rf"(?<![\w/.-])(?:{folders})/[\w./*-]*[\w/*]")
    missing = {
        f"{_name(document)}: {path}"
        for document in [*_documents(), PROJECT / "Makefile"]
        for path in named.findall(_without_links_and_code(document.read_text()))
        if not any(PROJECT.glob(path))
    }
    assert missing == set()


def _without_links_and_code(text: str) -> str:
    return re.sub(r"\]\([^)]*\)|```.*?```", "", text, flags=re.DOTALL)


def test_every_test_that_a_document_names_is_there() -> None:
    tests = _python_files("tests")
    names = {path.name for path in tests}
    names |= {name for path in tests for name in re.findall(r"\bdef (test_\w+)", path.read_text())}
    missing = {
        f"{_name(document)}: {named}"
        for document in _documents()
        for named, ending in re.findall(r"\b(test_\w+(?:\.py)?)([*…]?)", document.read_text())
        if not any(name.startswith(named) if ending else name == named for name in names)
    }
    assert missing == set()


def test_the_architecture_lists_every_import_contract() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    contracts = [contract["name"] for contract in project["tool"]["importlinter"]["contracts"]]
    text = (PROJECT / "docs" / "architecture.md").read_text()
    table = re.search(r"^\| contract \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.M)
    assert table is not None
    listed = [line.split("|")[1].strip() for line in table.group(1).splitlines()]
    assert sorted(listed) == sorted(contracts)


def test_each_migration_has_a_version_of_its_own() -> None:
    versions = [path.name.split("_")[0] for path in (PROJECT / "supabase" / "migrations").glob("*.sql")]
    assert sorted(versions) == sorted(set(versions))
