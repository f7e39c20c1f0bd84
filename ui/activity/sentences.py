"""An entry of the change log as one sentence: who did what to which row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from db.hub.models import ChangeLogEntry
from ui.activity.fields import Reader, field_changes
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.people import name_html, name_of
from ui.base.text import one_line, shortened

_LONGEST_NAME: Final = 60
_LONGEST_QUOTE: Final = 80
_MOST_FIELDS: Final = 4

_VERBS: Final[Mapping[str, str]] = {"INSERT": "added", "UPDATE": "changed", "DELETE": "deleted"}
_ANSWERS: Final[Mapping[str, str]] = {
    "going": "Going",
    "waitlisted": "On the waitlist",
    "maybe": "Maybe",
    "declined": "Can't go",
}

_SENTENCE = Template("<b>{who}</b> {what}")
_NAMED = Template("<b><bdi>{name}</bdi></b>")
_QUOTE = Template("<q><bdi>{text}</bdi></q>")
_FIELDS = Template('<span class="tv-fields">: {names}</span>')
_SYSTEM: Final = "The system"


@dataclass(frozen=True, slots=True)
class _Change:
    """An entry and its reader, with what sentences ask about them."""

    entry: ChangeLogEntry
    reader: Reader

    @property
    def verb(self) -> str:
        return _VERBS.get(self.entry.op, self.entry.op.lower())

    @property
    def fields(self) -> Markup:
        """Which fields an update has changed."""
        names = [change.label for change in field_changes(self.entry)] if self.entry.op == "UPDATE" else []
        if not names:
            return EMPTY
        more = [f"{len(names) - _MOST_FIELDS} more"] if len(names) > _MOST_FIELDS else []
        return _FIELDS(names=", ".join([*names[:_MOST_FIELDS], *more]))

    def before(self, field: str) -> str:
        return _text((self.entry.old or {}).get(field))

    def after(self, field: str) -> str:
        return _text((self.entry.new or {}).get(field))

    def now(self, field: str) -> str:
        """Return a value of the row, or the last one of a deleted row."""
        return self.after(field) or self.before(field) or _text(self.entry.row_key.get(field))

    def is_by(self, field: str) -> bool:
        """Tell whether the person in this field of the row did it themselves."""
        return self.entry.actor is not None and self.now(field) == self.entry.actor

    def person(self, field: str) -> Markup:
        user = self.reader.find(self.now(field))
        own_name = shortened(one_line(self.now("display_name")), _LONGEST_NAME)
        return _NAMED(name=name_of(user) if user or not own_name else own_name)

    def event(self, field: str) -> Markup:
        title = self.now("title") or self.reader.names.get(self.now(field), "")
        return _NAMED(name=shortened(one_line(title), _LONGEST_NAME)) if title else _words("an event")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _words(text: str) -> Markup:
    return join((text,))


def sentence_html(entry: ChangeLogEntry, reader: Reader) -> Markup:
    """Tell an entry as one sentence."""
    change = _Change(entry, reader)
    who = name_html(reader.find(entry.actor)) if entry.actor else _SYSTEM
    if _moves_in_line(change):
        return _tell_move(change)
    if entry.table_name == "users" and entry.op == "INSERT" and (entry.actor is None or change.is_by("id")):
        return join((change.person("id"), " joined"))
    return _SENTENCE(who=who, what=_TELLERS.get(entry.table_name, _tell_other)(change))


def _tell_person(change: _Change) -> Markup:
    own = change.is_by("id")
    if change.entry.op == "UPDATE":
        if not own and change.before("picture") and not change.after("picture"):
            return join(("took down the picture of ", change.person("id")))
        whose = ("their profile",) if own else ("the profile of ", change.person("id"))
        return join(("changed ", *whose, change.fields))
    whose = ("their account",) if own else ("the account of ", change.person("id"))
    return join((change.verb, " ", *whose))


def _tell_event(change: _Change) -> Markup:
    title = change.event("id")
    if change.entry.op == "UPDATE" and not change.before("cancelled_at") and change.after("cancelled_at"):
        return join(("cancelled ", title))
    if change.entry.op == "UPDATE" and change.before("cancelled_at") and not change.after("cancelled_at"):
        return join(("revived ", title))
    return join((change.verb, " the event ", title, change.fields))


def _tell_cohost(change: _Change) -> Markup:
    title = change.event("event_id")
    if change.entry.op == "INSERT":
        return join(("made ", change.person("user_id"), " a co-host of ", title))
    if change.is_by("user_id"):
        return join(("left the co-hosts of ", title))
    return join(("removed ", change.person("user_id"), " from the co-hosts of ", title))


def _tell_answer(change: _Change) -> Markup:
    title, whose = change.event("event_id"), _whose(change, "user_id")
    before, after = change.before("status"), change.after("status")
    if change.entry.op == "DELETE":
        return join(("withdrew ", *whose, " answer to ", title))
    if change.entry.op == "INSERT":
        return join(("answered ", _answer(after), " to ", title, *_for_whom(change)))
    if before == after:
        return join(("changed ", *whose, " answer to ", title, change.fields))
    return join(("changed ", *whose, " answer to ", title, " from ", _answer(before), " to ", _answer(after)))


def _moves_in_line(change: _Change) -> bool:
    """Whether the waitlist of an event did it, in a change of somebody else or of nobody."""
    moves = {("waitlisted", "going"), ("going", "waitlisted")}
    return (
        change.entry.table_name == "rsvps"
        and (change.before("status"), change.after("status")) in moves
        and not change.is_by("user_id")
    )


def _tell_move(change: _Change) -> Markup:
    who, title = change.person("user_id"), change.event("event_id")
    if change.after("status") == "going":
        return join((who, " moved up from the waitlist of ", title))
    return join((who, " did not confirm a place at ", title, " in time"))


def _whose(change: _Change, field: str) -> tuple[Markup | str, ...]:
    return ("their",) if change.is_by(field) else (change.person(field), "'s")


def _for_whom(change: _Change) -> tuple[Markup | str, ...]:
    return () if change.is_by("user_id") else (" for ", change.person("user_id"))


def _answer(status: str) -> Markup:
    return _QUOTE(text=_ANSWERS.get(status, status))


def _tell_message(change: _Change) -> Markup:
    of_whom = () if change.is_by("author_id") else (" of ", change.person("author_id"))
    in_room = change.entry.table_name == "tavern_messages"
    about: tuple[Markup | str, ...] = () if in_room else (" about ", change.event("event_id"))
    hidden = bool(change.before("hidden_at")), bool(change.after("hidden_at"))
    if change.entry.op == "INSERT":
        where = (" in the common room",) if in_room else about
        return join(("wrote", *where, " ", _quote(change.after("body"))))
    if change.entry.op == "DELETE":
        return join(("deleted a message", *of_whom, *about, " ", _quote(change.before("body"))))
    if hidden == (False, True):
        return join(("hid a message", *of_whom, *about))
    if hidden == (True, False):
        return join(("showed a message", *of_whom, *about, " again"))
    return join(("changed a message", *of_whom, *about, " to ", _quote(change.after("body"))))


def _quote(text: str) -> Markup:
    return _QUOTE(text=shortened(one_line(text), _LONGEST_QUOTE)) if text else EMPTY


def _tell_private_message(change: _Change) -> Markup:
    verb = "sent" if change.entry.op == "INSERT" else change.verb
    return join((verb, " a private message"))


def _tell_price(change: _Change) -> Markup:
    model = _NAMED(name=f"{one_line(change.now('provider'))} / {one_line(change.now('model'))}")
    return join((change.verb, " the price of ", model, change.fields))


def _tell_other(change: _Change) -> Markup:
    return join((change.verb, f" a row of {change.entry.table_name}", change.fields))


_TELLERS: Final[Mapping[str, Callable[[_Change], Markup]]] = {
    "users": _tell_person,
    "events": _tell_event,
    "event_cohosts": _tell_cohost,
    "rsvps": _tell_answer,
    "tavern_messages": _tell_message,
    "event_messages": _tell_message,
    "private_messages": _tell_private_message,
    "model_prices": _tell_price,
}
