"""The running session: its services, the signed-in person, the tables, the time zone.

`app.py` sets it up at the top of each full run. Pages and widgets only read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import streamlit as st

from db.auth.accounts import Accounts, SignedIn
from db.clients import Clients
from db.errors import UnreachableError
from db.hub.models import Role, User
from livetables import running_session
from livetables.engine import Engine
from livetables.errors import LiveError
from livetables.presence.model import Present
from livetables.tables.snapshot import EMPTY, Snapshot
from ui.base import tab
from ui.base.region import Region
from ui.base.times import zone_named
from ui.base.write_queue import WriteQueue, WriteQueues

R = TypeVar("R")

_LONGEST_LANGUAGE = 35
"""The longest tag that BCP 47 asks everybody to accept."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a process has one of: connections, accounts, the live engine, the queues of writes.

    `embedded` says that the database is the embedded Supabase, which has demo people.
    """

    clients: Clients
    accounts: Accounts
    engine: Engine
    embedded: bool
    write_queues: WriteQueues = field(init=False)

    def __post_init__(self) -> None:
        """Create the queues of writes."""
        object.__setattr__(self, "write_queues", WriteQueues(self.engine))


def begin(services: Services) -> None:
    """Give the session its services."""
    st.session_state[tab.SERVICES] = services


def services() -> Services:
    """Return the process's services."""
    return cast("Services", st.session_state[tab.SERVICES])


def engine() -> Engine:
    """Return the live engine."""
    return services().engine


def signed_in() -> SignedIn | None:
    """Return the sign-in of this browser; None for a visitor, also after a sign-in has ended."""
    me = last_sign_in()
    return None if me is None or me.ended else me


def last_sign_in() -> SignedIn | None:
    """Return the sign-in that this session was set up with, even if it has ended."""
    return cast("SignedIn | None", st.session_state.get(tab.SIGNED_IN))


def sign_in_as(me: SignedIn | None) -> None:
    """Set up the session for this person, or for a visitor. It takes full effect with the next full run."""
    st.session_state[tab.SIGNED_IN] = me


def was_signed_in() -> bool:
    """Tell whether the session is still set up for a person whose sign-in has ended."""
    return last_sign_in() is not None and signed_in() is None


def my_id() -> str | None:
    """Return the id of the signed-in person."""
    me = signed_in()
    return me.user_id if me else None


def my_profile() -> User | None:
    """Return the signed-in person's profile; None for visitors, and until it is loaded."""
    me = my_id()
    return users().get((me,)) if me else None


def is_admin() -> bool:
    """Tell whether to show the signed-in person what admins see. The database enforces the rights."""
    profile = my_profile()
    return profile is not None and profile.role is Role.ADMIN


def zone() -> ZoneInfo:
    """Return the time zone that the viewer's browser reports."""
    return zone_named(st.context.timezone)


def region() -> Region:
    """Return the time zone that the viewer's browser reports, and the territory and clock of its language."""
    return Region.of(zone(), (st.context.locale or "")[:_LONGEST_LANGUAGE])


def user_agent() -> str:
    """Return how the browser names itself; empty when it does not say."""
    return st.context.headers.get("User-Agent") or ""


def my_write_queue() -> WriteQueue | None:
    """Return the queue of the signed-in person's writes; None for a visitor."""
    me = my_id()
    return services().write_queues.of(me) if me else None


def pending(table: str) -> frozenset[str]:
    """Return the first key column of each row that is shown before the database has confirmed it."""
    queue = my_write_queue()
    return frozenset(key[0] for key in queue.keys(table)) if queue else frozenset()


def table(name: str) -> Snapshot[R]:
    """Return a table, with the expected rows of the signed-in person's pending writes."""
    base = cast("Snapshot[R]", st.session_state.get(name, EMPTY))
    queue = my_write_queue()
    return base if queue is None else queue.overlay(name, base)


def newest(name: str) -> Snapshot[R]:
    """Return a table as the engine has it now, which may be newer than what the running fragment shows."""
    base = cast("Snapshot[R]", engine().tables(my_id()).get(name, EMPTY))
    queue = my_write_queue()
    return base if queue is None else queue.overlay(name, base)


def load_older(table: str) -> bool:
    """Load older rows of a table; return whether there may be more.

    Raises:
        UnreachableError: The database did not answer.
    """
    try:
        return running_session.load_older(table)
    except (LiveError, TimeoutError) as error:
        raise UnreachableError from error


@dataclass(frozen=True, slots=True)
class PresentNow:
    """Who is here now, and a revision that changes with it."""

    now: Present
    revision: int


def present() -> PresentNow:
    """Return who is here."""
    feed = engine().presence
    return PresentNow(feed.present, feed.revision)


def users() -> Snapshot[User]:
    """Return all profiles."""
    return table("users")
