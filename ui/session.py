"""What a page may ask about the running session: who is here, what is known, in which zone they read.

`app.py` puts everything in place at the top of each full run; pages and widgets only read it here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import streamlit as st

from db.agent_models import AgentRun, AgentRunEvent
from db.auth import Accounts, SignedIn
from db.clients import Clients
from db.errors import Unreachable
from db.models import (
    ChangeLogEntry,
    Event,
    EventCohost,
    PrivateMessage,
    Role,
    Rsvp,
    TavernMessage,
    User,
)
from live import sessions
from live.engine import Engine
from live.errors import LiveError
from live.presence import Present
from live.snapshot import EMPTY, Snapshot
from ui.pending import Line, Writes
from ui.times import zone_named

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Services:
    """What one process has once: connections, accounts, the live engine. `embedded`: demo people exist."""

    clients: Clients
    accounts: Accounts
    engine: Engine
    embedded: bool
    writes: Writes = field(init=False)
    """What everybody has asked for and the database has not answered yet."""

    def __post_init__(self) -> None:
        """Begin without any."""
        object.__setattr__(self, "writes", Writes(self.engine))


_SERVICES = "tavern_services"
_SIGNED_IN = "tavern_signed_in"


def begin(services: Services) -> None:
    """Give the session its services."""
    st.session_state[_SERVICES] = services


def services() -> Services:
    """Return the process's services."""
    return cast("Services", st.session_state[_SERVICES])


def engine() -> Engine:
    """Return the live engine."""
    return services().engine


def signed_in() -> SignedIn | None:
    """Return this browser's sign-in, None for a visitor; a sign-in that has ended counts as none."""
    me = held()
    return None if me is None or me.ended else me


def held() -> SignedIn | None:
    """Return the sign-in this session was set up with, even if it has ended."""
    return cast("SignedIn | None", st.session_state.get(_SIGNED_IN))


def sign_in_as(me: SignedIn | None) -> None:
    """Make the session that of this person, or of a visitor. Takes full effect with the next full run."""
    st.session_state[_SIGNED_IN] = me


def was_signed_in() -> bool:
    """Tell whether the session is still set up for a person whose sign-in has ended."""
    return held() is not None and signed_in() is None


def my_id() -> str | None:
    """Return the id of the signed-in person."""
    me = signed_in()
    return me.user_id if me else None


def my_profile() -> User | None:
    """Return the signed-in person's profile, as far as it is loaded."""
    me = my_id()
    return users().get((me,)) if me else None


def is_admin() -> bool:
    """Tell whether the signed-in person is an admin now. The database decides, this chooses what to show."""
    profile = my_profile()
    return profile is not None and profile.role is Role.ADMIN


def zone() -> ZoneInfo:
    """Return the viewer's time zone, as their browser tells it."""
    return zone_named(st.context.timezone)


def my_writes() -> Line | None:
    """Return what the signed-in person has asked for."""
    me = my_id()
    return services().writes.of(me) if me else None


def pending(table: str) -> frozenset[str]:
    """Return the rows, by the first part of their key, that the person is shown before they are written."""
    line = my_writes()
    return frozenset(key[0] for key in line.keys(table)) if line else frozenset()


def table(name: str) -> Snapshot[R]:
    """Return a table as it is, and for the person who changes it, as it will be."""
    base = cast("Snapshot[R]", st.session_state.get(name, EMPTY))
    line = my_writes()
    return base if line is None else line.over(name, base)


def newest(name: str) -> Snapshot[R]:
    """Return a table as the engine has it by now, past the moment that the running fragment shows."""
    base = cast("Snapshot[R]", engine().tables(my_id()).get(name, EMPTY))
    line = my_writes()
    return base if line is None else line.over(name, base)


def load_older(table: str) -> bool:
    """Load older rows of a table; return whether there may be more. Raises `Unreachable` when none came."""
    try:
        return sessions.load_older(table)
    except (LiveError, TimeoutError) as error:
        raise Unreachable from error


@dataclass(frozen=True, slots=True)
class PresentNow:
    """Who is here, and a number that changes with it."""

    now: Present
    revision: int


def present() -> PresentNow:
    """Return who is here."""
    feed = engine().presence
    return PresentNow(feed.present, feed.revision)


def users() -> Snapshot[User]:
    """Return all profiles."""
    return table("users")


def events() -> Snapshot[Event]:
    """Return all events."""
    return table("events")


def event_cohosts() -> Snapshot[EventCohost]:
    """Return who helps to run which event."""
    return table("event_cohosts")


def rsvps() -> Snapshot[Rsvp]:
    """Return all answers to events."""
    return table("rsvps")


def tavern_messages() -> Snapshot[TavernMessage]:
    """Return the loaded part of the common room's messages."""
    return table("tavern_messages")


def private_messages() -> Snapshot[PrivateMessage]:
    """Return the loaded part of the signed-in person's own messages."""
    return table("private_messages")


def change_log() -> Snapshot[ChangeLogEntry]:
    """Return the loaded part of the activity; empty for everybody but admins."""
    return table("change_log")


def agent_runs() -> Snapshot[AgentRun]:
    """Return the loaded part of the signed-in person's runs of agents; of everybody's for admins."""
    return table("agent_runs")


def agent_run_events() -> Snapshot[AgentRunEvent]:
    """Return the loaded part of what happened in these runs."""
    return table("agent_run_events")
