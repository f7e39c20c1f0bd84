"""Several people edit one row: in no order is an update lost or an unseen text overwritten."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings as given_by
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from db.auth.accounts import Accounts, SignedIn
from db.clients import Clients
from db.columns import Record
from db.errors import ConflictError
from db.hub import events, tavern_messages, users
from db.hub.events import EventDraft
from db.rows import Values, find
from db.settings import Settings
from livetables.merging import Choice
from local_supabase.stack.runtime import StackInfo
from tests.support.people import PASSWORD, email_of, unique
from tests.ui.writes.editors import Editor, Judge, ModelServer

FIELDS = ("title", "location", "description")
ROW = dict.fromkeys(FIELDS, "as it was")
NAMES = ("ada", "bo", "cy")

Step = tuple[str, str]


def interleavings(*scripts: Sequence[Step]) -> Iterator[list[Step]]:
    """Return every order of the steps of all scripts that keeps the order of each."""
    places = [number for number, script in enumerate(scripts) for _ in script]
    for order in set(itertools.permutations(places)):
        left = [iter(script) for script in scripts]
        yield [next(left[number]) for number in order]


def play(
    editors: dict[str, Editor],
    steps: Sequence[Step],
    edits: Mapping[str, Sequence[str]],
    choice: Choice,
    turn: int = 0,
) -> None:
    """Have everybody do their steps, and decide every clash in the same way."""
    for who, what in steps:
        editor = editors[who]
        if what == "open":
            editor.open()
        elif what == "type":
            for name in edits[who]:
                editor.change(name, f"{who}'s {name} {turn}")
        else:
            done = editor.save()
            while not done:
                assert editor.clash is not None
                done = editor.decide(dict.fromkeys(editor.clash.merged.clashes, choice))


def typing(steps: Sequence[Step]) -> list[Step]:
    """Have everybody type as soon as they have opened the row."""
    return [
        each for who, what in steps for each in [(who, what), (who, "type")][: 2 if what == "open" else 1]
    ]


SUBSETS = [(), ("title",), ("location",), ("title", "location")]


@pytest.mark.parametrize("count", [2, 3])
def test_all_interleavings(count: int) -> None:
    names = NAMES[:count]
    orders = list(interleavings(*[[(name, step) for step in ("open", "save")] for name in names]))
    for order, edits, choice in itertools.product(orders, itertools.product(SUBSETS, repeat=count), Choice):
        judge = Judge(ModelServer(ROW), FIELDS)
        wanted = dict(zip(names, edits, strict=True))
        play({name: Editor(name, judge) for name in names}, typing(order), wanted, choice)
        # Nothing of one's own is lost for a field that nobody else has touched.
        row = judge.server.read()
        for name in FIELDS:
            writers = [who for who in names if name in wanted[who]]
            assert row[name] in ([f"{who}'s {name} 0" for who in writers] or ["as it was"])


class Table(RuleBasedStateMachine):
    """Three people around one row, each of whom may be quicker than another's save."""

    def __init__(self) -> None:
        super().__init__()
        self.judge = Judge(ModelServer(ROW), FIELDS)
        self.editors = {name: Editor(name, self.judge) for name in NAMES}
        self.typed = itertools.count()
        for editor in self.editors.values():
            editor.open()

    people = st.sampled_from(NAMES)
    fields = st.sampled_from(FIELDS)

    @rule(who=people)
    def opens(self, who: str) -> None:
        self.editors[who].open()

    @rule(who=people, name=fields, value=st.sampled_from(["as it was", "same", "new"]))
    def types(self, who: str, name: str, value: str) -> None:
        if self.editors[who].clash is None:
            self.editors[who].change(name, f"{who} {next(self.typed)}" if value == "new" else value)

    @rule(who=people, quicker=st.lists(st.tuples(people, fields, st.booleans()), max_size=4))
    def saves(self, who: str, quicker: list[tuple[str, str, bool]]) -> None:
        if self.editors[who].clash is None:
            self._while_others_are_quicker(who, quicker, self.editors[who].save)

    @precondition(lambda self: any(editor.clash for editor in self.editors.values()))
    @rule(
        choices=st.fixed_dictionaries({name: st.sampled_from(Choice) for name in FIELDS}),
        quicker=st.lists(st.tuples(people, fields, st.booleans()), max_size=4),
    )
    def decides(self, choices: dict[str, Choice], quicker: list[tuple[str, str, bool]]) -> None:
        who = next(name for name, editor in self.editors.items() if editor.clash)
        self._while_others_are_quicker(who, quicker, lambda: self.editors[who].decide(choices))

    def _while_others_are_quicker(
        self, who: str, quicker: list[tuple[str, str, bool]], act: Callable[[], bool]
    ) -> None:
        """Let somebody else change a field each time this person is about to write."""
        left = iter([each for each in quicker if each[0] != who])

        def interfere() -> None:
            for other, name, same in itertools.islice(left, 1):
                row = self.judge.server.read()
                value = "same" if same else f"{other} {next(self.typed)}"
                self.judge.server.write(other, {name: value}, int(str(row["version"])))

        self.judge.before_write = interfere
        act()
        self.judge.before_write = lambda: None


TestTable = Table.TestCase
TestTable.settings = given_by(max_examples=60, stateful_step_count=25, deadline=None)


# ---------------------------------------------------------------- the same against the real database


@pytest.fixture(scope="module")
def people(stack: StackInfo) -> Iterator[list[SignedIn]]:
    """Give an organizer and a friend, signed in."""
    clients = Clients(Settings(stack.url, stack.anon_key))
    accounts = Accounts(clients)
    names = [unique("Organizer"), unique("Friend")]
    signed_in = [accounts.sign_up(email_of(name), PASSWORD, name) for name in names]
    yield [me for me in signed_in if isinstance(me, SignedIn)]
    accounts.close()
    clients.close()


@dataclass(frozen=True, slots=True)
class Database:
    """A row of the real database, changed through the functions that the pages use."""

    table: str
    row_id: str
    by_name: Mapping[str, SignedIn]
    change: Callable[[SignedIn, str, Values, int], Record]

    def read(self) -> Record:
        row = find(next(iter(self.by_name.values())), self.table, {"id": self.row_id})
        assert row is not None
        # A message does not say who wrote it last: it can only have been its author.
        return {"updated_by": row.get("author_id"), **row}

    def write(self, who: str, values: Values, version: int) -> Record:
        try:
            return self.change(self.by_name[who], self.row_id, values, version)
        except ConflictError as conflict:
            raise ConflictError(
                {"updated_by": conflict.current.get("author_id"), **conflict.current}
            ) from None


def an_event(ada: SignedIn, bo: SignedIn) -> tuple[Database, tuple[str, ...]]:
    starts = datetime.now(UTC) + timedelta(days=1)
    draft = EventDraft("Quiz", "", starts, starts + timedelta(hours=1), "UTC", "Bar", None)
    event_id = str(uuid.uuid4())
    events.create(ada, event_id, draft)
    events.add_cohost(ada, event_id, bo.user_id)

    def change(me: SignedIn, event_id: str, values: Values, version: int) -> Record:
        return events.change(me, event_id, values, version=version)

    return Database("events", event_id, {"ada": ada, "bo": bo}, change), ("title", "location")


def a_profile(ada: SignedIn, _: SignedIn) -> tuple[Database, tuple[str, ...]]:
    def change(me: SignedIn, user_id: str, values: Values, version: int) -> Record:
        return users.change(me, user_id, values, version=version)

    # One person with two tabs.
    return Database("users", ada.user_id, {"ada": ada, "bo": ada}, change), ("display_name", "bio")


def a_message(ada: SignedIn, _: SignedIn) -> tuple[Database, tuple[str, ...]]:
    message_id = str(uuid.uuid4())
    tavern_messages.post(ada, message_id, "Frist")

    def change(me: SignedIn, message_id: str, values: Values, version: int) -> Record:
        return tavern_messages.edit(me, message_id, str(values["body"]), version=version)

    return Database("tavern_messages", message_id, {"ada": ada, "bo": ada}, change), ("body",)


Make = Callable[[SignedIn, SignedIn], tuple[Database, tuple[str, ...]]]


@pytest.mark.parametrize("make", [an_event, a_profile, a_message])
def test_all_interleavings_on_the_real_database(people: list[SignedIn], make: Make) -> None:
    server, fields = make(*people)
    orders = list(interleavings(*[[(name, step) for step in ("open", "save")] for name in NAMES[:2]]))
    alone, together = {"ada": fields[:1], "bo": fields[-1:]}, {"ada": fields, "bo": fields}
    turn = itertools.count()
    for order, edits, choice in itertools.product(orders, (alone, together), Choice):
        judge, number = Judge(server, fields), next(turn)
        play({name: Editor(name, judge) for name in NAMES[:2]}, typing(order), edits, choice, number)
        row = server.read()
        for name in fields:
            assert row[name] in [f"{who}'s {name} {number}" for who in edits if name in edits[who]]
