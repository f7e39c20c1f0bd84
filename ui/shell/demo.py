"""The demo people of a new embedded Supabase, whose password is published.

So whoever reaches the app can be an admin of it. As long as they have accounts, only people on this machine
get in, unless `TAVERN_DEMO_ON_NETWORK=1` says that it is meant so.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from ui.base.session import Services

PASSWORD: Final = "tavern-demo"  # noqa: S105 - public on purpose: it exists only on the embedded stack
OPENED_BY: Final = "TAVERN_DEMO_ON_NETWORK"

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """An account of `supabase/seed.sql` that signs in with `PASSWORD`."""

    user_id: str
    email: str
    name: str
    role: str


PEOPLE: Final = (
    DemoPerson("a0000000-0000-4000-8000-000000000001", "ada@tavern.example", "Ada", "admin"),
    DemoPerson("a0000000-0000-4000-8000-000000000002", "bo@tavern.example", "Bo", "organizer"),
    DemoPerson("a0000000-0000-4000-8000-000000000003", "cy@tavern.example", "Cy", "member"),
)


def people(services: Services) -> list[DemoPerson]:
    """Return the demo people who have an account here. A hosted project has none."""
    if not services.embedded:
        return []
    users = services.engine.tables().get("users")
    return [person for person in PEOPLE if users is not None and (person.user_id,) in users]


def keeps_out(services: Services) -> bool:
    """Return whether the running session must not get in: it comes over the network, to the demo people."""
    return bool(people(services)) and not is_local() and os.environ.get(OPENED_BY) != "1"


def is_local() -> bool:
    """Return whether the running session is of a browser on this machine.

    Streamlit gives no address for loopback. A proxy on this machine also connects from loopback, but asks for
    the host by the name that people use.
    """
    host = st.context.headers.get("Host") or "localhost"
    forwarded = st.context.headers.get("X-Forwarded-For") or st.context.headers.get("Forwarded")
    return not forwarded and st.context.ip_address is None and urlsplit(f"//{host}").hostname in _LOOPBACK
