"""While services and the app are killed during writes, no acknowledged write is lost and none happens twice.

`TAVERN_STORM_SEED` repeats a run, `TAVERN_STORM_SECONDS` makes it longer.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil
import psycopg2
import pytest

from livetables.tables.changes import Key
from livetables.tables.spec import AnySpec
from local_supabase.stack.datadir import DataDir, RunState
from local_supabase.stack.privileges import child_setup
from local_supabase.stack.runtime import StackInfo, ensure_running, stop_stack
from realtime_handlers import ALL_SPECS
from tests.livetables.fault_proxy import fault_proxy
from tests.storm.app_process import Orders, State
from tests.storm.faults import elapse
from tests.storm.ledger import Account, Kind, read_ledger
from tests.support.people import PASSWORD, Person, give_role, sign_up
from tests.support.stack import PROJECT, running_stack
from tests.support.wait import wait_for
from tests.verify.oracle import Oracle, Tables

SECONDS = float(os.environ.get("TAVERN_STORM_SECONDS", "0"))
SEED = int(os.environ.get("TAVERN_STORM_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

_UNTOUCHED = "to be edited"


@dataclass(slots=True)
class App:
    """The process of the app. It can be killed at any time and started again with the same ledger."""

    orders: Path
    log: Path
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.storm.app_process", str(self.orders)],
                cwd=PROJECT.parent,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
            )

    def kill(self) -> None:
        """Kill it, without a chance to clean up."""
        process = self._running
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._running.send_signal(number)

    def ask(self, command: str) -> object:
        """Send a command and return the answer."""
        process = self._running
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{command}\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, f"The app has ended:\n{self.log.read_text()[-3000:]}"
        return json.loads(answer)

    @property
    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process


@dataclass(slots=True)
class Answers:
    """Drops one answer in ten."""

    chance: random.Random
    lost: int = 0

    def drop(self) -> bool:
        """Return whether the next answer is dropped."""
        lost = self.chance.random() < 0.1
        self.lost += lost
        return lost


@dataclass(slots=True)
class Storm:
    """A stack, the app that uses it, and the faults that hit both."""

    stack: StackInfo
    people: list[Person]
    app: App
    ledger: Path
    answers: Answers
    chance: random.Random
    happened: Counter[str] = field(default_factory=Counter)

    def state(self) -> RunState:
        """Return the supervisor's record of its child processes."""
        state = DataDir(self.stack.data_dir).read_state()
        assert state is not None
        return state

    def kill_gateway(self) -> None:
        self._end(self.state().gateway_pid, signal.SIGKILL)

    def restart_gateway(self) -> None:
        self._end(self.state().gateway_pid, signal.SIGTERM)

    def kill_realtime(self) -> None:
        self._end(self.state().realtime_pid, signal.SIGKILL)

    def restart_realtime(self) -> None:
        self._end(self.state().realtime_pid, signal.SIGTERM)

    def kill_postgres(self) -> None:
        self._end(self.state().postgres_pid, signal.SIGKILL)

    def restart_postgres(self) -> None:
        self._end(self.state().postgres_pid, signal.SIGINT)

    def kill_supervisor(self) -> None:
        """Kill the supervisor, and with it all children. The app and this process start it again."""
        self._end(self.state().pid, signal.SIGKILL)

    def restart_stack(self) -> None:
        stop_stack(self.stack.data_dir)
        ensure_running(PROJECT, data_dir=self.stack.data_dir)

    def kill_app(self) -> None:
        self.app.kill()
        self.app.start()

    def suspend_app(self) -> None:
        """Suspend the app, kill the gateway and Realtime meanwhile, and resume the app."""
        self.app.send(signal.SIGSTOP)
        try:
            self.kill_gateway()
            self.kill_realtime()
            elapse(1.0)
        finally:
            self.app.send(signal.SIGCONT)

    def hit(self, fault: Callable[[], None]) -> None:
        """Make a fault after some writes, and wait until a write succeeds again."""
        self.wait_written(self.chance.randint(1, 20))
        self.happened[fault.__name__] += 1
        fault()
        self.wait_written(1)

    def wait_written(self, more: int) -> None:
        """Wait until that many more writes are acknowledged."""
        goal = self._acknowledged() + more
        wait_for(lambda: self._acknowledged() >= goal, within=60, what="writes to succeed")

    def _acknowledged(self) -> int:
        return len(read_ledger(self.ledger).acknowledged)

    def _end(self, pid: int, number: signal.Signals) -> None:
        # It may be gone already, when one fault follows another at once.
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.send_signal(number)
            process.wait(30)

    @property
    def faults(self) -> list[Callable[[], None]]:
        """Return all faults."""
        return [
            self.kill_gateway,
            self.restart_gateway,
            self.kill_realtime,
            self.restart_realtime,
            self.kill_postgres,
            self.restart_postgres,
            self.kill_supervisor,
            self.restart_stack,
            self.kill_app,
            self.suspend_app,
        ]


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    with running_stack(tmp_path / "data") as stack, fault_proxy(stack.url) as proxy:
        people = [sign_up(stack, name) for name in ("Ada", "Bo", "Cy", "Dee")]
        give_role(stack, people[0].user_id, "admin")
        edited = [_first_message(person) for person in people]
        ledger, orders = tmp_path / "ledger", tmp_path / "orders"
        given = Orders(
            str(stack.data_dir),
            proxy.url,
            str(ledger),
            tuple(person.email for person in people),
            PASSWORD,
            tuple(person.user_id for person in people),
            tuple(edited),
            SEED,
        )
        given.write(orders)
        answers = Answers(random.Random(SEED))
        proxy.loses_answer = answers.drop
        app = App(orders, tmp_path / "app.log")
        app.start()
        try:
            yield Storm(stack, people, app, ledger, answers, random.Random(SEED))
        finally:
            app.kill()


def _first_message(person: Person) -> str:
    row = {"author_id": person.user_id, "body": _UNTOUCHED}
    answer = person.client.table("tavern_messages").insert(row).execute()
    return str(cast("list[dict[str, object]]", answer.data)[0]["id"])


@pytest.mark.timeout(300 + 3 * SECONDS)
def test_no_acknowledged_write_is_lost_or_doubled_when_processes_are_killed(storm: Storm) -> None:
    until = time.monotonic() + SECONDS
    faults = storm.faults
    storm.chance.shuffle(faults)
    for fault in faults:
        storm.hit(fault)
    while time.monotonic() < until:
        storm.hit(storm.chance.choice(storm.faults))
    assert storm.app.ask("stop_writing") is True, "A write was never acknowledged."
    converged = wait_converged(storm)
    account = read_ledger(storm.ledger)
    lost, doubled = compare(storm.stack, account, storm.people)
    happened = ", ".join(f"{name} {count}" for name, count in sorted(storm.happened.items()))
    print(  # noqa: T201 - the report of the run
        f"\nseed {SEED}: {len(account.meant)} writes intended, {len(account.acknowledged)} acknowledged,"
        f" {storm.answers.lost} answers dropped,"
        f" lost {len(lost)}, doubled {len(doubled)}; all feeds converged after {converged:.2f} s\n"
        f"faults: {happened}"
    )
    assert not lost, f"seed {SEED}"
    assert not doubled, f"seed {SEED}"
    assert not account.unanswered


def compare(stack: StackInfo, account: Account, people: list[Person]) -> tuple[list[str], list[str]]:
    """Return the acknowledged writes that are missing, and those made twice or never intended."""
    rows = written_by(stack, people)
    edits = Counter(one.about for one in account.of(Kind.EDIT) if one.id in account.acknowledged)
    lost = [
        f"{one}"
        for one in account.meant
        if one.kind is not Kind.EDIT and one.id in account.acknowledged and one.about not in rows
    ]
    doubled: list[str] = []
    bodies = Counter(body for body, _ in rows.values())
    meant = {one.id: one.about for one in account.meant}
    for message, (body, version) in rows.items():
        # Each acknowledged edit raised the version by one, and nothing else did.
        lost += [f"edit of {message}"] * (1 + edits[message] - version)
        doubled += [f"edit of {message}"] * (version - edits[message] - 1)
        if body != _UNTOUCHED and (bodies[body] > 1 or meant.get(body) != message):
            doubled.append(f"{bodies[body]} times: {body}")
    return lost, doubled


def written_by(stack: StackInfo, people: list[Person]) -> dict[str, tuple[str, int]]:
    """Return the text and version of every message of these people by its id."""
    query = (
        "select id::text, body, version from public.tavern_messages where author_id = any (%(ids)s::uuid[])"
        " union all "
        "select id::text, body, version from public.private_messages where sender_id = any (%(ids)s::uuid[])"
    )
    connection = psycopg2.connect(stack.database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query, {"ids": [person.user_id for person in people]})
            return {message: (body, version) for message, body, version in cursor.fetchall()}
    finally:
        connection.close()


def reached(storm: Storm) -> Oracle | None:
    """Return the oracle, if Postgres answers: the last kill may have been its own."""
    try:
        return Oracle(storm.stack)
    except psycopg2.OperationalError:
        return None


def wait_converged(storm: Storm) -> float:
    """Wait until the app shows everybody what Postgres lets them see. Return the seconds."""
    began = time.monotonic()
    oracle = wait_for(lambda: reached(storm), what="Postgres to be back")
    try:
        expected: dict[str, Tables] = {"": oracle.everything(None)}
        expected |= {person.user_id: oracle.everything(person) for person in storm.people}
    finally:
        oracle.close()
    try:
        wait_for(lambda: not differences(storm, expected), within=60, what="everybody to see what is there")
    except AssertionError as error:
        raise AssertionError(f"seed {SEED}: {error} {differences(storm, expected)[:5]}") from None
    return time.monotonic() - began


def differences(storm: Storm, expected: Mapping[str, Tables]) -> list[str]:
    """Compare what everybody is shown with what is expected."""
    shown = cast(State, storm.app.ask("state"))
    return [
        f"{user}: {what}"
        for user, tables in expected.items()
        for spec in ALL_SPECS
        if spec.name in shown[user] or tables[spec.name]
        for what in _differences_in(spec, shown[user].get(spec.name, {}), tables[spec.name])
    ]


def _differences_in(spec: AnySpec, shown: Mapping[str, int], there: Mapping[Key, object]) -> list[str]:
    rows = {"|".join(key): row for key, row in there.items()}
    found = [
        f"{spec.name} {key} is {version}"
        for key, version in shown.items()
        if key not in rows or spec.version(rows[key]) != version
    ]
    if found or spec.window is None or spec.order is None:
        return found + [f"{spec.name} {key} is missing" for key in rows.keys() - shown.keys()]
    # Nothing is deleted here, so the oldest loaded row is the edge of the window.
    order = spec.order
    oldest = min((getattr(rows[key], order) for key in shown), default=None)
    missing = [
        key for key in rows.keys() - shown.keys() if oldest is None or getattr(rows[key], order) > oldest
    ]
    if len(shown) < min(spec.window, len(rows)):
        missing.append("the rest of the window")
    return [f"{spec.name} {key} is missing" for key in missing]
