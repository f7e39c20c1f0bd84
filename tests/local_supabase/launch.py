"""Stacks started by `python -m local_supabase start` in a process of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg2

from local_supabase.stack.datadir import DataDir
from local_supabase.stack.privileges import child_setup
from tests.support.stack import superuser_url
from tests.support.wait import wait_for

ROOT = Path(__file__).resolve().parents[2]


class Launched:
    """One `start` in the foreground, with its output."""

    def __init__(
        self, project: Path, data_dir: Path, *options: str, environment: Mapping[str, str] = {}
    ) -> None:
        self.project = project
        self.data_dir = DataDir(data_dir)
        self._output = data_dir.with_name(f"{data_dir.name}.out")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command("start", project, data_dir, "--port=0", "--db-port=0", *options),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                cwd=ROOT,
                # The stack ends even if the test run is killed.
                preexec_fn=child_setup(None, death_signal=signal.SIGTERM),
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_ready(self) -> "Launched":
        def settled() -> bool:
            return "\nready\n" in self.output or self.process.poll() is not None

        wait_for(settled, within=90, what="the stack")
        assert "\nready\n" in self.output, self.output
        return self

    def value(self, name: str) -> str:
        line = next(line for line in self.output.splitlines() if line.startswith(f"{name}="))
        return line.partition("=")[2]

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the gateway, Realtime and the postmaster, by name. They may have ended."""
        state = json.loads(self.data_dir.state.read_text())
        return {name: int(state[f"{name}_pid"]) for name in ("gateway", "realtime", "postgres")}

    @property
    def children(self) -> dict[str, psutil.Process]:
        """The gateway, Realtime and the postmaster, by name. All of them have to be alive."""
        return {name: psutil.Process(pid) for name, pid in self.pids.items()}

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(60)

    def sql(self, statement: str, *, superuser: bool = False) -> list[tuple[object, ...]]:
        url = self.value("DATABASE_URL")
        return execute(superuser_url(url, self.data_dir.root) if superuser else url, statement)


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run a statement in the database at `url`; return its rows."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@contextmanager
def starting(
    project: Path, data_dir: Path, *options: str, environment: Mapping[str, str] = {}
) -> Iterator[Launched]:
    """Start a stack without waiting until it is ready; stop it after the block."""
    stack = Launched(project, data_dir, *options, environment=environment)
    try:
        yield stack
    finally:
        stack.stop()


@contextmanager
def launched(
    project: Path, data_dir: Path, *options: str, environment: Mapping[str, str] = {}
) -> Iterator[Launched]:
    """Run a stack for the block."""
    with starting(project, data_dir, *options, environment=environment) as stack:
        yield stack.wait_ready()


def command(name: str, project: Path, data_dir: Path, *options: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "local_supabase",
        name,
        f"--project={project}",
        f"--data-dir={data_dir}",
        *options,
    ]


def run(name: str, project: Path, data_dir: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run one command and wait for its end."""
    return subprocess.run(
        command(name, project, data_dir, *options),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=90,
        check=False,
    )


def make_project(folder: Path, *migrations: str, seed: str | None = None) -> Path:
    """Create a project with these texts as its migrations."""
    (folder / "migrations").mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(migrations, start=1):
        (folder / "migrations" / f"2026010100000{number}_step_{number}.sql").write_text(text)
    if seed is not None:
        (folder / "seed.sql").write_text(seed)
    return folder
