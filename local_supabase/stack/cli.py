"""The command line: `local-supabase start|status|stop|reset|logs|dump|restore|env|rewind`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from local_supabase.errors import LocalSupabaseError, NotRunningError
from local_supabase.settings import REWIND_PATH
from local_supabase.stack import archive, tail
from local_supabase.stack.datadir import DataDir, Phase, RunState, default_data_dir
from local_supabase.stack.locks import held, is_locked
from local_supabase.stack.report import Health, examine, lines
from local_supabase.stack.runtime import start_in_background, stop_stack
from local_supabase.stack.supervisor import Options, Supervisor, run_stack

_REWIND_SECONDS = 60.0
Run = Callable[[argparse.Namespace], int]


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
    program = "local-supabase" if Path(sys.argv[0]).name == "local-supabase" else "python -m local_supabase"
    parser = argparse.ArgumentParser(prog=program, description="An embedded Supabase.")
    commands = parser.add_subparsers(required=True, metavar="|".join(_COMMANDS))
    for name, (run, text, add) in _COMMANDS.items():
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
        add(command)
    return parser


def _data_dir(options: argparse.Namespace) -> DataDir:
    return DataDir(options.data_dir.resolve() if options.data_dir else default_data_dir(options.project))


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _start_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--background", action="store_true", help="return when the stack is ready; it runs until `stop`"
    )
    command.add_argument(
        "--testing", action="store_true", help="for tests: fast instead of safe, and `rewind` works"
    )


def _start(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    data_dir = _data_dir(options)
    if options.background:
        start_in_background(
            options.project,
            data_dir.root,
            progress=_progress,
            port=options.port,
            database_port=options.db_port,
            testing=options.testing,
        )
        _print_ready(_running(data_dir))
        return 0
    supervisor = Supervisor(
        Options(options.project, data_dir, options.port, options.db_port, testing=options.testing),
        progress=_progress,
    )
    run_stack(supervisor, on_ready=_print_ready)
    return 0


def _print_ready(state: RunState) -> None:
    for name, value in _addresses(state):
        print(f"{name}={value}")
    print("ready", flush=True)


def _addresses(state: RunState) -> Iterator[tuple[str, str]]:
    yield "SUPABASE_URL", state.url
    yield "SUPABASE_KEY", state.anon_key
    yield "SUPABASE_SERVICE_KEY", state.service_key
    yield "DATABASE_URL", state.database_url
    yield "MAILBOX_URL", state.mailbox_url


def _running(data_dir: DataDir) -> RunState:
    state = data_dir.running_state()
    if state is None or state.phase is not Phase.READY:
        raise NotRunningError(f"No stack is running on {data_dir.root}.")
    return state


def _environment(state: RunState) -> dict[str, str]:
    """Return the addresses and keys, also by the names that Supabase's own CLI and its guides use."""
    values = dict(_addresses(state))
    values["SUPABASE_ANON_KEY"] = state.anon_key
    values["SUPABASE_SERVICE_ROLE_KEY"] = state.service_key
    values["SUPABASE_DB_URL"] = state.database_url
    if state.testing:
        values["SUPABASE_REWIND_URL"] = f"{state.mailbox_url}{REWIND_PATH}"
    return values


def _env_options(command: argparse.ArgumentParser) -> None:
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--export", action="store_true", help='for a shell: eval "$(local-supabase env --export)"'
    )
    form.add_argument("--json", action="store_true", help="as JSON")


def _env(options: argparse.Namespace) -> int:
    values = _environment(_running(_data_dir(options)))
    if options.json:
        print(json.dumps(values, indent=2))
        return 0
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}" if options.export else f"{name}={value}")
    return 0


def _rewind(options: argparse.Namespace) -> int:
    state = _running(_data_dir(options))
    if not state.testing:
        raise LocalSupabaseError(
            "This stack keeps its data. Only one that `start --testing` started goes back."
        )
    try:
        answer = httpx.post(f"{state.mailbox_url}{REWIND_PATH}", timeout=_REWIND_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise LocalSupabaseError(f"The stack does not answer: {error}") from error
    record = answer.json()
    if answer.is_error:
        raise LocalSupabaseError(record["message"])
    if not record["done"]:
        raise LocalSupabaseError(
            "The schema has changed since the start, so the rows cannot be put back. Use `stop`, "
            "`reset --yes` and `start --testing`."
        )
    return 0


def _status_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON, for programs")


def _status(options: argparse.Namespace) -> int:
    report = examine(_data_dir(options))
    print(json.dumps(report.as_record(), indent=2) if options.json else "\n".join(lines(report)))
    return 0 if report.health is Health.HEALTHY else 1


def _logs_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("part", nargs="*", choices=[*tail.PARTS, []], help="of which parts (default: all)")
    command.add_argument("--lines", "-n", type=int, default=20, help="how many lines of each (default: 20)")
    command.add_argument("--follow", "-f", action="store_true", help="go on with what is added")


def _logs(options: argparse.Namespace) -> int:
    data_dir = _data_dir(options)
    if not data_dir.logs.exists():
        raise NotRunningError(f"No stack has run on {data_dir.root}.")
    parts = tuple(options.part) or tail.PARTS
    # Whoever follows ends it with Ctrl+C.
    with suppress(KeyboardInterrupt):
        for line in tail.show(data_dir, parts, lines=max(options.lines, 0), follow=options.follow):
            print(line, flush=options.follow)
    return 0


def _file_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, help="the file; it holds all data and secrets of the stack")


def _dump(options: argparse.Namespace) -> int:
    archive.dump(_data_dir(options), options.file)
    print(f"Wrote {options.file} ({options.file.stat().st_size / 1e6:.1f} MB).")
    return 0


def _restore(options: argparse.Namespace) -> int:
    data_dir = _data_dir(options)
    archive.restore(data_dir, options.file)
    print(f"Restored {data_dir.root}.")
    return 0


def _no_options(command: argparse.ArgumentParser) -> None:
    del command


def _stop(options: argparse.Namespace) -> int:
    data_dir = _data_dir(options)
    if not stop_stack(data_dir.root):
        raise NotRunningError(f"No stack is running on {data_dir.root}.")
    print("stopped")
    return 0


def _reset_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="do not ask")


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


_COMMANDS: Mapping[str, tuple[Run, str, Callable[[argparse.ArgumentParser], None]]] = {
    "start": (_start, "start the stack and stay in the foreground", _start_options),
    "status": (_status, "show whether the stack runs, and where", _status_options),
    "stop": (_stop, "stop the running stack", _no_options),
    "reset": (_reset, "delete the stack's data; the next start creates it again", _reset_options),
    "logs": (_logs, "show the ends of the logs", _logs_options),
    "dump": (_dump, "write the database, files, mails and secrets to one file", _file_options),
    "restore": (_restore, "make a data folder of what `dump` wrote", _file_options),
    "env": (_env, "print addresses and keys as environment variables", _env_options),
    "rewind": (_rewind, "put a stack for tests back to the state after migrations and seed", _no_options),
}
