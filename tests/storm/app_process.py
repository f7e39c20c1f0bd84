"""A process of the app without pages: it holds the engine and writes for its people, as `app.py` would.

Given a JSON file of what to do (`Orders`). It answers commands, a line each, on its standard input: `rest`
until everything meant is acknowledged and nothing is being written, `go on`, `state` for what each person is
shown.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from db import private_messages, tavern_messages
from db.auth import Accounts, SignedIn
from db.clients import Clients
from db.errors import Unreachable
from db.settings import Settings
from live.engine import Engine, EngineConfig
from local_supabase.runtime import ensure_running
from realtime_handlers import ALL_SPECS
from tests.storm.ledger import Intention, Kind, Ledger, read_ledger
from tests.support.stack import PROJECT

State = Mapping[str, Mapping[str, Mapping[str, int]]]
"""By person (their id; empty for a visitor), table and key: the version of the row that is shown."""

_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process is to do, and for whom: e-mail addresses that share a password."""

    data_dir: str
    url: str
    """Where it writes; the engine reads from the stack itself."""
    ledger: str
    emails: tuple[str, ...]
    password: str
    ids: tuple[str, ...]
    edited: tuple[str, ...]
    """For each person the id of a message of theirs, which only they edit."""
    seed: int

    def write(self, path: Path) -> None:
        """Write them for a process to read."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Orders:
        """Read what was written."""
        values = json.loads(path.read_text())
        for name in ("emails", "ids", "edited"):
            values[name] = tuple(values[name])
        return cls(**values)


class Person(threading.Thread):
    """Writes without end as one person, each write until it is acknowledged, however long that takes."""

    def __init__(self, me: SignedIn, edited: str, orders: Orders, ledger: Ledger) -> None:
        super().__init__(name=me.email, daemon=True)
        self._me, self._edited, self._orders, self._ledger = me, edited, orders, ledger
        self._random = random.Random(f"{orders.seed}{me.user_id}")
        account = read_ledger(Path(orders.ledger))
        self._open = [one for one in account.open if one.person == me.user_id]
        edits = [one for one in account.of(Kind.EDIT) if one.person == me.user_id]
        self._version = max((one.version + 1 for one in edits), default=1)
        self.go = threading.Event()
        self.rests = threading.Event()

    def run(self) -> None:
        """Finish what an earlier process left open, then write."""
        for left in self._open:
            self._until_acknowledged(left)
        while True:
            if not self.go.is_set():
                self.rests.set()
                self.go.wait()
                self.rests.clear()
            intention = self._new()
            self._ledger.means(intention)
            self._until_acknowledged(intention)

    def _new(self) -> Intention:
        kind = self._random.choice(list(Kind))
        number, me = str(uuid.uuid4()), self._me.user_id
        if kind is Kind.EDIT:
            self._version += 1
            return Intention(number, kind, me, self._edited, version=self._version - 1)
        others = [one for one in self._orders.ids if one != me]
        to = self._random.choice(others) if kind is Kind.WHISPER else ""
        return Intention(number, kind, me, str(uuid.uuid4()), to)

    def _until_acknowledged(self, intention: Intention) -> None:
        while True:
            try:
                self._write(intention)
            except Unreachable:
                threading.Event().wait(_PAUSE)
            else:
                self._ledger.acknowledged(intention)
                return

    def _write(self, intention: Intention) -> None:
        match intention.kind:
            case Kind.SAY:
                tavern_messages.post(self._me, intention.about, intention.id)
            case Kind.WHISPER:
                private_messages.send(self._me, intention.about, intention.to, intention.id)
            case Kind.EDIT:
                tavern_messages.edit(self._me, intention.about, intention.id, version=intention.version)


def state_of(engine: Engine, people: list[SignedIn]) -> State:
    """Say what everybody is shown."""
    specs = {spec.name: spec for spec in ALL_SPECS}
    return {
        user_id or "": {
            name: {"|".join(key): specs[name].version(row) for key, row in snapshot.rows.items()}
            for name, snapshot in engine.tables(user_id).items()
        }
        for user_id in (None, *(one.user_id for one in people))
    }


def main(orders: Orders) -> None:
    """Start as the app does, and do as told until the end of the input."""
    stack = ensure_running(PROJECT, data_dir=Path(orders.data_dir))
    clients = Clients(Settings(orders.url, stack.anon_key))
    accounts = Accounts(clients)
    engine = Engine.start(EngineConfig(stack.url, stack.anon_key), ALL_SPECS)
    signed_in = [_sign_in(accounts, email, orders.password) for email in orders.emails]
    engine.attach("a visitor", None)
    for me in signed_in:
        engine.attach(f"tab of {me.email}", me)
    ledger = Ledger(Path(orders.ledger))
    people = [Person(me, edited, orders, ledger) for me, edited in zip(signed_in, orders.edited, strict=True)]
    for person in people:
        person.go.set()
        person.start()
    for line in sys.stdin:
        _answer(_done(line.strip(), engine, signed_in, people))
    engine.stop()


def _done(command: str, engine: Engine, signed_in: list[SignedIn], people: list[Person]) -> object:
    match command:
        case "rest":
            for person in people:
                person.go.clear()
            return all(person.rests.wait(60) for person in people)
        case "go on":
            for person in people:
                person.go.set()
            return True
        case "state":
            return state_of(engine, signed_in)
    raise ValueError(command)


def _answer(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _sign_in(accounts: Accounts, email: str, password: str) -> SignedIn:
    while True:
        try:
            return accounts.sign_in(email, password)
        except Unreachable:
            threading.Event().wait(_PAUSE)


if __name__ == "__main__":
    main(Orders.read(Path(sys.argv[1])))
