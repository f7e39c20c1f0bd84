"""Tests that start processes are found through the functions, classes and fixtures that they use."""

import subprocess
import sys

import pytest

from deploy.processes import Child
from local_supabase.stack.runtime import ensure_running
from tests.support import app
from tests.support.app import AppUnderTest
from tests.support.people import unique
from tests.support.services import starts_process
from tests.support.stack import running_stack


def by_itself() -> None:
    subprocess.run(["true"], check=True)


def by_a_function_of_another_module() -> None:
    with running_stack(app.PROJECT):
        pass


def by_a_class() -> None:
    AppUnderTest({}, app.PROJECT)


def by_an_attribute_of_a_module() -> None:
    app.AppUnderTest({}, app.PROJECT)


def by_a_program_of_the_deployment() -> Child:
    return Child("one", ["true"])


def by_a_function_within() -> None:
    def within() -> None:
        ensure_running(app.PROJECT)

    within()


def by_a_fixture_that_it_names(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("stack")


def without() -> str:
    return unique("Ada")


@pytest.mark.parametrize(
    "function",
    [
        by_itself,
        by_a_function_of_another_module,
        by_a_class,
        by_an_attribute_of_a_module,
        by_a_program_of_the_deployment,
        by_a_function_within,
        by_a_fixture_that_it_names,
    ],
)
def test_a_function_that_starts_a_process_is_found(function: object) -> None:
    assert starts_process(function)


def test_any_other_function_is_not() -> None:
    assert not starts_process(without)


QUIET = "def test_quiet():\n    assert True\n"
HIDDEN = """
import subprocess
run = getattr(subprocess, "ru" + "n")
def test_hidden():
    assert run(["true"])
"""


def test_a_run_without_services_fails_a_test_that_starts_one_unseen(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (folder / "test_quiet.py").write_text(QUIET)
    (folder / "test_hidden.py").write_text(HIDDEN)
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", str(folder)]
    ran = subprocess.run(
        [*command, "-c", str(app.PROJECT / "pyproject.toml"), "-m", "not services"],
        cwd=app.PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 failed, 1 passed" in ran.stdout
    assert "A test without the mark `services` starts a process" in ran.stdout
