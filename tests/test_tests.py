"""The rules for tests: each lies where its module lies, and asserts something itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PROJECT = TESTS.parent

END_TO_END_FOLDERS = {
    "tests/browser": "the app in real browsers",
    "tests/functions": "the edge functions of supabase/functions",
    "tests/security": "attacks from outside",
    "tests/storm": "the app and the stack under random faults",
    "tests/supabase_schema": "the SQL of supabase/migrations",
    "tests/verify": "every way to write against every way to read",
}
"""Folders of tests that mirror no module."""

END_TO_END = {
    "tests/api/test_asgi.py": "the whole server, from its start to its end",
    "tests/api/test_fuzz.py": "the server against its own description",
    "tests/api/test_stream_oracle.py": "streams against SQL queries, with random writes and cuts",
    "tests/db/auth/test_accounts_refresh.py": "the refreshing of sign-ins over days, with a real Auth",
    "tests/livetables/test_pushing.py": "shared fragments: sessions, renderings and Streamlit together",
    "tests/livetables/test_architecture.py": "the imports of the whole engine",
    "tests/livetables/test_engine_faults.py": "the whole engine behind a failing proxy",
    "tests/livetables/test_many_people.py": "the whole engine with 300 people on shared websockets",
    "tests/livetables/test_oracle.py": "the whole engine against SQL queries, under random faults",
    "tests/local_supabase/auth/test_fuzz.py": "all routes of Auth with random requests",
    "tests/local_supabase/auth/test_supabase_py.py": "Auth with its stock client",
    "tests/local_supabase/functions/test_functions.py": "edge functions in real Deno workers",
    "tests/local_supabase/realtime/test_log.py": "the log of all of Realtime",
    "tests/local_supabase/realtime/test_realtime_py.py": "Realtime with its stock client",
    "tests/local_supabase/realtime/test_robustness.py": "all of Realtime under load and faults",
    "tests/local_supabase/realtime/test_supabase_py.py": "Realtime with supabase-py",
    "tests/local_supabase/rest/test_supabase_py.py": "REST with its stock client",
    "tests/local_supabase/second_client/test_supabase_js.py": "all services with supabase-js",
    "tests/local_supabase/storage/test_fuzz.py": "all routes of Storage with random requests",
    "tests/local_supabase/storage/test_storage3.py": "Storage with its stock client",
    "tests/local_supabase/test_bootstrap.py": "the SQL of a new database",
    "tests/realtime_handlers/test_specs.py": "the specs and handlers of all tables",
    "tests/test_repository.py": "the rules of the repository",
    "tests/test_tests.py": "the rules of the tests",
    "tests/ui/test_expected_rows.py": "the rows that pages expect, against the database's own",
}
"""Other tests that mirror no module, and what they test. Names that end in `_end_to_end` are not listed."""

MIRRORED = ("livetables", "local_supabase/realtime", "publish", "ui/base", "ui/writes")
"""Folders in which every module has a test file or a reason to have none."""

WITHOUT_A_TEST_FILE = {
    "livetables/auth/accounts.py": "tests/db/auth/test_accounts.py, with a real Auth",
    "livetables/auth/signed_in.py": "tests/db/auth/test_signed_in.py, with a real Auth",
    "livetables/config.py": "one value without behavior",
    "livetables/errors.py": "errors without behavior",
    "livetables/library/cookie.py": "tests/browser/test_signing_in.py, tests/browser/test_examples.py",
    "livetables/tables/changes.py": "values without behavior",
    "livetables/users.py": "a protocol without behavior",
    "local_supabase/realtime/authorization.py": "test_change_rights_end_to_end.py",
    "local_supabase/realtime/catalog.py": "test_changes_end_to_end.py: it needs a real Postgres",
    "local_supabase/realtime/changes.py": "test_changes_end_to_end.py",
    "local_supabase/realtime/channel_presence.py": "test_rooms_end_to_end.py",
    "local_supabase/realtime/channel_subscription.py": "test_channel.py, test_channels_end_to_end.py",
    "local_supabase/realtime/database.py": "test_fanout.py: lost connections; test_delivery.py",
    "local_supabase/realtime/http.py": "test_rooms_end_to_end.py",
    "local_supabase/realtime/postgres_changes.py": "test_changes_end_to_end.py",
    "local_supabase/realtime/private.py": "test_private_end_to_end.py: policies need a real Postgres",
    "local_supabase/realtime/rights.py": "test_private_end_to_end.py",
    "local_supabase/realtime/rooms.py": "test_rooms_end_to_end.py",
    "local_supabase/realtime/server.py": "every test with the fixture `realtime`",
    "local_supabase/realtime/services.py": "values without behavior",
    "local_supabase/realtime/socket.py": "test_channels_end_to_end.py, test_robustness.py",
    "local_supabase/realtime/tasks.py": "every test with the fixture `realtime`",
    "local_supabase/realtime/tokens.py": "test_channels_end_to_end.py",
    "publish/errors.py": "errors without behavior",
    "publish/unsent.py": "test_outbox.py, property-based",
    "ui/base/export.py": "tests/browser: the files that pages offer",
    "ui/base/focus.py": "tests/browser/test_keyboard.py",
    "ui/base/follow.py": "tests/browser/test_following.py",
    "ui/base/html_actions.py": "tests/browser: every button in a list",
    "ui/base/navigation.py": "tests/browser: every page",
    "ui/base/picture_field.py": "tests/browser/test_places.py, tests/browser/test_event_page.py",
    "ui/base/send_keys.py": "tests/browser/test_keyboard.py",
    "ui/base/session.py": "tests/browser: every page",
    "ui/base/write.py": "test_write_queue.py",
}
"""Modules without a test file, and what tests them."""

ASSERTS = re.compile(r"_*(assert|expect|wait|raises$|warns$)")
"""The names of functions that count as assertions, such as `pytest.raises`, `expect`, `assert_answers`."""


def test_every_test_mirrors_a_module_or_is_listed_with_a_reason() -> None:
    elsewhere = {
        _name(path)
        for path in _tests()
        if not path.stem.endswith("_end_to_end")
        and not any(_name(path).startswith(f"{folder}/") for folder in END_TO_END_FOLDERS)
        and not any(module.is_file() for module in _modules_of(path))
    }
    assert elsewhere == set(END_TO_END)


def test_every_module_has_a_test_or_is_listed_with_a_reason() -> None:
    tested = {module for path in _tests() for module in _modules_of(path)}
    modules = (path for folder in MIRRORED for path in (PROJECT / folder).rglob("*.py"))
    without = {
        _name(path)
        for path in modules
        if path.name not in ("__init__.py", "__main__.py") and path not in tested
    }
    assert without == set(WITHOUT_A_TEST_FILE)


def test_every_test_has_an_assertion_of_its_own() -> None:
    without = {
        f"{_name(path)}::{function.name}"
        for path in _tests()
        for function in _test_functions(path)
        if not any(map(_is_assertion, ast.walk(function)))
    }
    assert without == set()


def _name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def _tests() -> list[Path]:
    return sorted(TESTS.rglob("test_*.py"))


def _modules_of(test: Path) -> tuple[Path, Path]:
    """Return the modules that a test file can mirror: of the source, or of the tests' own helpers."""
    module = test.with_name(test.name.removeprefix("test_"))
    return PROJECT / module.relative_to(TESTS), module


def _test_functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def _is_assertion(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return isinstance(node, ast.Assert) or ASSERTS.match(name) is not None
