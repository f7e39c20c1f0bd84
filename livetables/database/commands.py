"""The command line: writes the SQL into a project, and says what keeps its tables from being live."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from livetables.database.check import describe, describe_database
from livetables.database.description import Description, Severity
from livetables.database.migration import migration, write
from livetables.errors import LiveError, ProjectError

_OK: Final = 0
_INCOMPLETE: Final = 1
_FAILED: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Return 0, 1 if the check has found an error, or 2 with a message on stderr.

    Arguments:
        arguments: the command line without the program's name; None takes the process's own.
    """
    options = _parser().parse_args(arguments)
    try:
        return _init(options) if options.command == "init" else _check(options)
    except LiveError as error:
        print(error, file=sys.stderr)
        return _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m livetables", description="Live tables of a Supabase project."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="init|check")
    init = commands.add_parser("init", help="write the migration that live tables need")
    init.add_argument(
        "project", type=Path, nargs="?", default=Path(), help="the folder with supabase/ (default: here)"
    )
    init.add_argument(
        "--print", action="store_true", help="write the SQL to the terminal instead, for the SQL editor"
    )
    check = commands.add_parser(
        "check", help="say what keeps tables from being live; exit code 1 if anything does"
    )
    check.add_argument("tables", nargs="*", help="the tables (default: all that are watched)")
    check.add_argument(
        "--url", default=os.environ.get("SUPABASE_URL"), help="the project's URL (default: SUPABASE_URL)"
    )
    check.add_argument(
        "--key",
        default=os.environ.get("SUPABASE_KEY"),
        help="its anon or publishable key (default: SUPABASE_KEY)",
    )
    check.add_argument("--database", metavar="URL", help="ask the database itself: postgresql://...")
    check.add_argument("--project", type=Path, help="start the embedded Supabase of this folder, and ask it")
    return parser


def _init(options: argparse.Namespace) -> int:
    if options.print:
        print(migration(), end="")
        return _OK
    written = write(options.project)
    if not written.new:
        print(f"{written.path} has this version already. Nothing was written.")
        return _OK
    print(f"Wrote {written.path}.")
    print("Now make your tables live, in a migration after those that create them and their policies:")
    print("    select livetables.watch('items');")
    print(
        "Apply the migrations (`supabase db push`), and see that nothing is missing: "
        "`python -m livetables check`."
    )
    return _OK


def _check(options: argparse.Namespace) -> int:
    found = _ask(options)
    for problem in found.problems:
        print(f"{'warning' if problem.severity is Severity.WARNING else 'error'}: {problem}")
    for table in found.tables:
        if not any(problem.severity is Severity.ERROR for problem in table.problems):
            key = ", ".join(table.key)
            print(f"{table.name}: live, {table.visibility.value}, key {key}, version {table.version}")
    if not found.tables and not found.problems:
        print("No table is watched. Make one live: select livetables.watch('name');")
    return _INCOMPLETE if found.errors or not found.tables else _OK


def _ask(options: argparse.Namespace) -> Description:
    tables = options.tables or None
    if options.database:
        return describe_database(options.database, tables)
    if options.project:
        return describe_database(_start(options.project), tables)
    if options.url and options.key:
        return describe(options.url, options.key, tables)
    raise ProjectError(
        "Name what to check: --url and --key (or SUPABASE_URL and SUPABASE_KEY), --database URL, or "
        "--project FOLDER."
    )


def _start(project: Path) -> str:
    """Start the embedded Supabase of a folder, if it does not run. Return its database's URL."""
    if not project.is_dir():
        raise ProjectError(f"There is no folder {project}. Name the one with supabase/.")
    try:
        embedded = import_module("local_supabase")
    except ImportError as error:
        raise ProjectError("--project needs the embedded Supabase: `pip install local-supabase`.") from error
    folder = project / "supabase" if (project / "supabase").is_dir() else project
    try:
        return str(embedded.ensure_running(folder).database_url)
    except embedded.LocalSupabaseError as error:
        raise ProjectError(str(error)) from error
