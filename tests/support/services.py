"""Find the tests that start a process, such as a stack, a Postgres, the app or a browser.

The mark `services` is set from the code: a test has it when the test itself, or a fixture it uses, reaches a
function that starts a process. `make check` runs the tests without it, where a guard forbids new processes.
"""

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType

import pytest
from playwright.async_api import async_playwright

MARK = "services"

_STARTERS = (
    subprocess.Popen,
    subprocess.run,
    subprocess.check_output,
    asyncio.create_subprocess_exec,
    async_playwright,
)
_FOLLOWED = ("tests", "local_supabase.stack", "deploy", "local_supabase.testing")
"""The packages whose functions are searched for the functions that they name in turn."""
_REQUESTS_BY_NAME = "getfixturevalue"
"""A fixture that requests another one by its name may start anything, so it counts as well."""


def mark_services(items: list[pytest.Item]) -> None:
    """Mark every test that starts a process, or uses a fixture that does."""
    for item in items:
        if isinstance(item, pytest.Function) and any(map(starts_process, _functions_of(item))):
            item.add_marker(MARK)


def forbid_processes() -> None:
    """Let every later attempt of this process to start another one raise RuntimeError.

    Python cannot remove an audit hook, so this holds until the process ends.
    """

    def forbid(event: str, arguments: tuple[object, ...]) -> None:
        if event == "subprocess.Popen":
            raise RuntimeError(
                f"A test without the mark `{MARK}` starts a process: {arguments[0]!r}. Start it in a fixture"
                " or function of tests/ that tests/support/services.py finds, or set the mark by hand."
            )

    sys.addaudithook(forbid)


@cache
def starts_process(function: object) -> bool:
    """Return whether the function, or a function or class that it names, starts a process."""
    return _reaches(function, set())


def _functions_of(item: pytest.Function) -> Iterator[object]:
    """Yield the test and every fixture that it uses, also those that its fixtures use."""
    yield _innermost(item.obj)
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        yield from (_innermost(definition.func) for definition in definitions)


def _innermost(candidate: object) -> object:
    """Return the function as it was written, without its decorators."""
    property_test = getattr(candidate, "hypothesis", None)
    candidate = getattr(property_test, "inner_test", candidate)
    candidate = getattr(candidate, "__func__", candidate)
    return inspect.unwrap(candidate) if callable(candidate) else candidate


def _reaches(candidate: object, seen: set[int]) -> bool:
    if id(candidate) in seen:
        return False
    seen.add(id(candidate))
    if any(candidate is starter for starter in _STARTERS):
        return True
    candidate = _innermost(candidate)
    if not str(getattr(candidate, "__module__", "")).startswith(_FOLLOWED):
        return False
    if isinstance(candidate, type):
        return any(_reaches(member, seen) for member in _methods(candidate))
    if not isinstance(candidate, FunctionType):
        return False
    names = set(_names(candidate.__code__))
    return _REQUESTS_BY_NAME in names or any(
        _reaches(value, seen) for value in _values(names, candidate.__globals__)
    )


def _methods(owner: type) -> Iterator[object]:
    for member in vars(owner).values():
        yield member.fget if isinstance(member, property) else member


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _values(names: set[str], namespace: dict[str, object]) -> Iterator[object]:
    for name in names & namespace.keys():
        value = namespace[name]
        if isinstance(value, ModuleType):
            yield from (getattr(value, attribute, None) for attribute in names)
        else:
            yield value
