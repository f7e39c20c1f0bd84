"""The command line: `python -m local_supabase start|status|stop|reset`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from local_supabase.errors import LocalSupabaseError, NotRunningError
from local_supabase.stack.datadir import DataDir, RunState, default_data_dir
from local_supabase.stack.locks import held, is_locked
from local_supabase.stack.report import Health, examine, lines
from local_supabase.stack.runtime import stop_stack
from local_supabase.stack.supervisor import Options, Supervisor, run_stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 1 with a message on stderr.

    Arguments:
        arguments: the command line without the program's name; None takes the process's own.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except LocalSupabaseError as error:
        print(error, file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_supabase", description="An embedded Supabase.")
    commands = parser.add_subparsers(required=True, metavar="start|status|stop|reset")
    for name, run, text in (
        ("start", _start, "start the stack and stay in the foreground"),
        ("status", _status, "show whether the stack runs, and where"),
        ("stop", _stop, "stop the running stack"),
        ("reset", _reset, "delete the stack's data; the next start creates it again"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument(
            "--project",
            type=Path,
            default=Path("supabase"),
            help="the folder with migrations/ and seed.sql (default: supabase)",
        )
        command.add_argument(
            "--data-dir", type=Path, help="the data folder (default: .local_supabase beside the project)"
        )
        command.add_argument(
            "--port", type=int, help="the gateway's port; 0 takes any free one (default: 54321)"
        )
        command.add_argument(
            "--db-port", type=int, help="Postgres' port; 0 takes any free one (default: 54322)"
        )
        if name == "status":
            command.add_argument("--json", action="store_true", help="print JSON, for programs")
        if name == "reset":
            command.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _data_dir(options: argparse.Namespace) -> DataDir:
    return DataDir(options.data_dir.resolve() if options.data_dir else default_data_dir(options.project))


def _start(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    supervisor = Supervisor(
        Options(options.project, _data_dir(options), options.port, options.db_port),
        progress=lambda message: print(message, file=sys.stderr, flush=True),
    )
    run_stack(supervisor, on_ready=_print_ready)
    return 0


def _print_ready(state: RunState) -> None:
    _print_lines(state)
    print("ready", flush=True)


def _print_lines(state: RunState) -> None:
    print(f"SUPABASE_URL={state.url}")
    print(f"SUPABASE_KEY={state.anon_key}")
    print(f"SUPABASE_SERVICE_KEY={state.service_key}")
    print(f"DATABASE_URL={state.database_url}")
    print(f"MAILBOX_URL={state.mailbox_url}", flush=True)


def _status(options: argparse.Namespace) -> int:
    report = examine(_data_dir(options))
    print(json.dumps(report.as_record(), indent=2) if options.json else "\n".join(lines(report)))
    return 0 if report.health is Health.HEALTHY else 1


def _stop(options: argparse.Namespace) -> int:
    data_dir = _data_dir(options)
    if not stop_stack(data_dir.root):
        raise NotRunningError(f"No stack is running on {data_dir.root}.")
    print("stopped")
    return 0


def _reset(options: argparse.Namespace) -> int:
    data_dir = _data_dir(options)
    if not data_dir.root.exists():
        print(f"There is no data in {data_dir.root}.")
        return 0
    if not options.yes and not _confirmed(data_dir.root):
        print("Nothing was deleted.")
        return 1
    data_dir.prepare()
    stop_stack(data_dir.root)
    with held(data_dir.start_lock, within=10) as lock:
        if lock is None or is_locked(data_dir.lock):
            raise LocalSupabaseError(f"{data_dir.root} is being used; nothing was deleted.")
        shutil.rmtree(data_dir.root)
    print(f"Deleted {data_dir.root}.")
    return 0


def _confirmed(root: Path) -> bool:
    if not os.isatty(sys.stdin.fileno()):
        raise LocalSupabaseError("reset deletes all data; confirm it with --yes.")
    return input(f"Delete all data in {root}? [y/N] ").strip().lower() in {"y", "yes"}
