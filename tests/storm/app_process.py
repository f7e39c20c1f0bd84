"""A process of the app without pages: it runs the engine and writes as several people, as `app.py` would.

Its argument is a JSON file (`Orders`). It reads commands from its standard input, one per line, and answers
each with one line of JSON: `stop_writing` waits until every write is acknowledged, `state` gives what each
person is shown.
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

from db.auth.accounts import Accounts, SignedIn
from db.clients import Clients
from db.errors import UnreachableError
from db.hub import private_messages, tavern_messages
from db.settings import Settings
from livetables.config import EngineConfig
from livetables.engine import Engine
from local_supabase.stack.runtime import ensure_running
from realtime_handlers import ALL_SPECS
from tests.storm.ledger import Intention, Kind, Ledger, read_ledger
from tests.support.stack import PROJECT

State = Mapping[str, Mapping[str, Mapping[str, int]]]
"""The version of each row that is shown, by user id (empty for a visitor), table and key."""

_RETRY_AFTER = 0.2  # seconds
_LAST_WRITES = 60  # seconds, within which the writes that were begun must be acknowledged


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process does, and as whom. All email addresses share one password."""

    data_dir: str
    url: str
    """The address to write to. The engine reads from the stack itself."""
    ledger: str
    emails: tuple[str, ...]
    password: str
    ids: tuple[str, ...]
    edited: tuple[str, ...]
    """For each person, the id of a message of theirs that only they edit."""
    seed: int

    def write(self, path: Path) -> None:
        """Write the orders to a file."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Orders:
        """Read the orders from a file."""
        values = json.loads(path.read_text())
        for name in ("emails", "ids", "edited"):
            values[name] = tuple(values[name])
        return cls(**values)


class Person(threading.Thread):
    """Writes as one person until it is stopped. Repeats each write until it is acknowledged."""

    def __init__(self, me: SignedIn, edited: str, orders: Orders, ledger: Ledger) -> None:
        super().__init__(name=me.email, daemon=True)
        self._me, self._edited, self._orders, self._ledger = me, edited, orders, ledger
        self._random = random.Random(f"{orders.seed}{me.user_id}")
        account = read_ledger(Path(orders.ledger))
        self._unanswered = [one for one in account.unanswered if one.person == me.user_id]
        edits = [one for one in account.of(Kind.EDIT) if one.person == me.user_id]
        self._version = max((one.version + 1 for one in edits), default=1)
        self._stopped = threading.Event()

    def run(self) -> None:
        """Repeat the writes that an earlier process left unanswered, then make new ones."""
        for intention in self._unanswered:
            self._until_acknowledged(intention)
        while not self._stopped.is_set():
            intention = self._new()
            self._ledger.means(intention)
            self._until_acknowledged(intention)

    def stop(self) -> None:
        """Begin no further write."""
        self._stopped.set()

    def _new(self) -> Intention:
        kind = self._random.choice(list(Kind))
        number, me = str(uuid.uuid4()), self._me.user_id
        if kind is Kind.EDIT:
            self._version += 1
            return Intention(number, kind, me, self._edited, version=self._version - 1)
        others = [one for one in self._orders.ids if one != me]
        to = self._random.choice(others) if kind is Kind.PRIVATE else ""
        return Intention(number, kind, me, str(uuid.uuid4()), to)

    def _until_acknowledged(self, intention: Intention) -> None:
        while True:
            try:
                self._write(intention)
            except UnreachableError:
                threading.Event().wait(_RETRY_AFTER)
            else:
                self._ledger.acknowledged(intention)
                return

    def _write(self, intention: Intention) -> None:
        match intention.kind:
            case Kind.POST:
                tavern_messages.post(self._me, intention.about, intention.id)
            case Kind.PRIVATE:
                private_messages.send(self._me, intention.about, intention.to, intention.id)
            case Kind.EDIT:
                tavern_messages.edit(self._me, intention.about, intention.id, version=intention.version)


def state_of(engine: Engine, people: list[SignedIn]) -> State:
    """Return what everybody is shown."""
    specs = {spec.name: spec for spec in ALL_SPECS}
    return {
        user_id or "": {
            name: {"|".join(key): specs[name].version(row) for key, row in snapshot.rows.items()}
            for name, snapshot in engine.tables(user_id).items()
        }
        for user_id in (None, *(one.user_id for one in people))
    }


def main(orders: Orders) -> None:
    """Start as the app does, and answer commands until the input ends."""
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
        person.start()
    for line in sys.stdin:
        _print(_answer(line.strip(), engine, signed_in, people))
    engine.stop()


def _answer(command: str, engine: Engine, signed_in: list[SignedIn], people: list[Person]) -> object:
    match command:
        case "stop_writing":
            for person in people:
                person.stop()
            for person in people:
                person.join(_LAST_WRITES)
            return not any(person.is_alive() for person in people)
        case "state":
            return state_of(engine, signed_in)
    raise ValueError(command)


def _print(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _sign_in(accounts: Accounts, email: str, password: str) -> SignedIn:
    while True:
        try:
            return accounts.sign_in(email, password)
        except UnreachableError:
            threading.Event().wait(_RETRY_AFTER)


if __name__ == "__main__":
    main(Orders.read(Path(sys.argv[1])))
