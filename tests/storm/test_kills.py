"""Services and app are killed and restarted during writes: nothing acknowledged is lost, nothing doubled.

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

from live.changes import Key
from live.tables import AnySpec
from local_supabase.datadir import DataDir, RunState
from local_supabase.privileges import child_setup
from local_supabase.runtime import StackInfo, ensure_running, stop_stack
from realtime_handlers import ALL_SPECS
from tests.live.fault_proxy import fault_proxy
from tests.storm.app_process import Orders, State
from tests.storm.ledger import Account, Kind, read_ledger
from tests.storm.weather import let_pass
from tests.support.people import PASSWORD, Person, give_role, sign_up
from tests.support.stack import PROJECT, running_stack
from tests.support.wait import wait_for
from tests.verify.oracle import Oracle, Tables

SECONDS = float(os.environ.get("TAVERN_STORM_SECONDS", "0"))
SEED = int(os.environ.get("TAVERN_STORM_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

_UNTOUCHED = "to be edited"


@dataclass(slots=True)
class App:
    """The process of the app, which may end at any time, and be started again with the same ledger."""

    orders: Path
    log: Path
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it."""
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
        """End it with no chance to clean up."""
        process = self._running
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()

    def send(self, word: signal.Signals) -> None:
        """Send it a signal."""
        self._running.send_signal(word)

    def ask(self, command: str) -> object:
        """Give it a command and return the answer."""
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
    """Loses one answer in ten of what was done."""

    chance: random.Random
    lost: int = 0

    def lose(self) -> bool:
        """Decide about the next one."""
        lost = self.chance.random() < 0.1
        self.lost += lost
        return lost


@dataclass(slots=True)
class Storm:
    """A stack, the app on it, and what is done to both."""

    stack: StackInfo
    people: list[Person]
    app: App
    ledger: Path
    answers: Answers
    chance: random.Random
    happened: Counter[str] = field(default_factory=Counter)

    def state(self) -> RunState:
        """What the supervisor says of its children."""
        state = DataDir(self.stack.data_dir).read_state()
        assert state is not None
        return state

    def kill_gateway(self) -> None:
        self._end(self.state().gateway_pid, signal.SIGKILL)

    def restart_gateway(self) -> None:
        self._end(self.state().gateway_pid, signal.SIGTERM)

    def kill_postgres(self) -> None:
        self._end(self.state().postgres_pid, signal.SIGKILL)

    def restart_postgres(self) -> None:
        self._end(self.state().postgres_pid, signal.SIGINT)

    def kill_supervisor(self) -> None:
        """And with it, both of its children; the app and this process start it again."""
        self._end(self.state().pid, signal.SIGKILL)

    def restart_stack(self) -> None:
        stop_stack(self.stack.data_dir)
        ensure_running(PROJECT, data_dir=self.stack.data_dir)

    def kill_app(self) -> None:
        self.app.kill()
        self.app.start()

    def suspend_app(self) -> None:
        """Stop it, end what it is connected to meanwhile, and let it go on."""
        self.app.send(signal.SIGSTOP)
        try:
            self.kill_gateway()
            let_pass(1.0)
        finally:
            self.app.send(signal.SIGCONT)

    def strike(self, blow: Callable[[], None]) -> None:
        """Do it amid the writes: after some were acknowledged, and until some are again."""
        self.wait_written(self.chance.randint(1, 20))
        self.happened[blow.__name__] += 1
        blow()
        self.wait_written(1)

    def wait_written(self, more: int) -> None:
        """Wait until so many more writes are acknowledged."""
        goal = self._acknowledged() + more
        wait_for(lambda: self._acknowledged() >= goal, within=60, what="writes to succeed")

    def _acknowledged(self) -> int:
        return len(read_ledger(self.ledger).acknowledged)

    def _end(self, pid: int, word: signal.Signals) -> None:
        # It may be gone already: a blow may follow another at once.
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.send_signal(word)
            process.wait(30)

    @property
    def blows(self) -> list[Callable[[], None]]:
        """All that can be done."""
        return [
            self.kill_gateway,
            self.restart_gateway,
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
        proxy.loses_answer = answers.lose
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
def test_whatever_is_killed_no_write_is_lost_or_doubled(storm: Storm) -> None:
    until = time.monotonic() + SECONDS
    blows = storm.blows
    storm.chance.shuffle(blows)
    for blow in blows:
        storm.strike(blow)
    while time.monotonic() < until:
        storm.strike(storm.chance.choice(storm.blows))
    assert storm.app.ask("rest") is True, "A write was never acknowledged."
    converged = wait_converged(storm)
    account = read_ledger(storm.ledger)
    lost, doubled = compare(storm.stack, account, storm.people)
    blown = ", ".join(f"{name} {count}" for name, count in sorted(storm.happened.items()))
    print(  # noqa: T201 - the report of the run
        f"\nseed {SEED}: {len(account.meant)} writes meant, {len(account.acknowledged)} acknowledged,"
        f" {storm.answers.lost} answers kept from the app,"
        f" lost {len(lost)}, doubled {len(doubled)}; all feeds right after {converged:.2f} s\nblows: {blown}"
    )
    assert not lost, f"seed {SEED}"
    assert not doubled, f"seed {SEED}"
    assert not account.open


def compare(stack: StackInfo, account: Account, people: list[Person]) -> tuple[list[str], list[str]]:
    """Return what was acknowledged and is not there, and what is there twice or was never meant."""
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


def wait_converged(storm: Storm) -> float:
    """Wait until everybody whom the app serves is shown what Postgres gives them; return the seconds."""
    began = time.monotonic()
    oracle = Oracle(storm.stack)
    try:
        expected: dict[str, Tables] = {"": oracle.everything(None)}
        expected |= {person.user_id: oracle.everything(person) for person in storm.people}
    finally:
        oracle.close()
    try:
        wait_for(lambda: not wrong(storm, expected), within=60, what="all to be right")
    except AssertionError as error:
        raise AssertionError(f"seed {SEED}: {error} {wrong(storm, expected)[:5]}") from None
    return time.monotonic() - began


def wrong(storm: Storm, expected: Mapping[str, Tables]) -> list[str]:
    """Compare all that everybody is shown with what is there."""
    shown = cast(State, storm.app.ask("state"))
    return [
        f"{user}: {what}"
        for user, tables in expected.items()
        for spec in ALL_SPECS
        if spec.name in shown[user] or tables[spec.name]
        for what in _wrong_in(spec, shown[user].get(spec.name, {}), tables[spec.name])
    ]


def _wrong_in(spec: AnySpec, shown: Mapping[str, int], there: Mapping[Key, object]) -> list[str]:
    rows = {"|".join(key): row for key, row in there.items()}
    found = [
        f"{spec.name} {key} is {version}"
        for key, version in shown.items()
        if key not in rows or spec.version(rows[key]) != version
    ]
    if found or spec.window is None or spec.order is None:
        return found + [f"{spec.name} {key} is missing" for key in rows.keys() - shown.keys()]
    # Loaded down to its oldest row; here nothing is deleted, so this is the window's edge.
    order = spec.order
    oldest = min((getattr(rows[key], order) for key in shown), default=None)
    missing = [
        key for key in rows.keys() - shown.keys() if oldest is None or getattr(rows[key], order) > oldest
    ]
    if len(shown) < min(spec.window, len(rows)):
        missing.append("the rest of the window")
    return [f"{spec.name} {key} is missing" for key in missing]
