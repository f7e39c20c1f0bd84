"""Home: what is on, who is here, and what waits for the viewer. A visitor is told what this is."""

from __future__ import annotations

import streamlit as st

from livetables.fragments import PRESENCE, live_fragment
from ui.base import html, layout, session
from ui.base.html_actions import mark
from ui.base.html_cache import shared_html
from ui.base.parts import MY_COHOSTING, MY_RSVPS
from ui.base.people import finder
from ui.base.write_queue import WRITES
from ui.events import tables
from ui.events.cards import viewing_now
from ui.messages import tables as message_tables
from ui.shell import home, home_mine, welcome
from ui.shell.home_mine import Mine
from ui.shell.run_app import run_whole_app

BLOCK = "home_events"


def show() -> None:
    layout.page_head("Home", "What is on, who is here, and what waits for you.")
    if session.signed_in() is None:
        welcome.show()
    else:
        _for_you()
    with st.container(key="home", horizontal=True, gap="medium"):
        with st.container(key="home_first"):
            with st.container(key=BLOCK):
                _coming_up()
            if session.signed_in() is not None:
                _my_events()
        with st.container(key="home_second"):
            _who_is_here()
            _room()
    _notes()


@live_fragment(
    tables=("events", "rsvps", WRITES), varies_by=("time_zone", "language"), key="home_coming_up", shared=True
)
def _coming_up() -> None:
    viewing, events, rsvps = viewing_now(), tables.events(), tables.rsvps()
    built = shared_html(
        ("home coming up", events, rsvps, viewing), lambda: home.coming_up_html(events, rsvps, viewing)
    )
    html.show(built)


@live_fragment(tables=(PRESENCE, "users", WRITES), key="home_who", shared=True)
def _who_is_here() -> None:
    present, users = session.present(), session.users()
    built = shared_html(
        ("home who", present.revision, users), lambda: home.who_is_here_html(present.now, users)
    )
    html.show(built)


@live_fragment(
    tables=("tavern_messages", "users", WRITES),
    varies_by=("time_zone", "language"),
    key="home_room",
    shared=True,
)
def _room() -> None:
    viewing, messages, users = viewing_now(), message_tables.tavern_messages(), session.users()
    built = shared_html(
        ("home room", messages, users, viewing.region, viewing.today),
        lambda: home.room_html(messages, users, viewing),
    )
    html.show(built)


# ---------------------------------------------------------------- for the viewer


def _mine() -> Mine:
    return Mine.of(session.my_id() or "", tables.rsvps(), tables.cohosts())


@live_fragment(
    tables=("events", MY_RSVPS, "private_messages", "users", WRITES),
    varies_by=("user", "time_zone", "language"),
    key="home_for_you",
)
def _for_you() -> None:
    messages = message_tables.private_messages()
    html.show(
        home_mine.for_you_html(_mine(), tables.events(), messages, finder(session.users()), viewing_now())
    )


@live_fragment(
    tables=("events", MY_RSVPS, MY_COHOSTING, WRITES),
    varies_by=("user", "time_zone", "language"),
    key="home_my_events",
)
def _my_events() -> None:
    html.show(home_mine.my_events_html(_mine(), tables.events(), viewing_now()))


@live_fragment(
    tables=("events", MY_RSVPS, MY_COHOSTING, WRITES),
    varies_by=("user", "time_zone", "language"),
    key="home_notes",
)
def _notes() -> None:
    if session.signed_in() is None:
        return
    viewing = viewing_now()
    shown = home.coming_up(tables.events(), viewing)
    mark(BLOCK, notes=home_mine.notes(_mine(), shown, viewing.region))


if __name__ == "__main__":
    run_whole_app()
