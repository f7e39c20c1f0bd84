"""A chat that everybody reads: its messages, what can be done with each, and the field to write.

`RoomChat` is the common room, `EventChat` the discussion of one event.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import UnreachableError
from db.hub import event_messages, tavern_messages
from db.hub.models import EventMessage, TavernMessage
from livetables import running_session
from livetables.fragments import live_fragment
from livetables.running_session import enter_fragment
from livetables.tables.filters import Filter, Operator
from livetables.tables.part import Dependency
from livetables.tables.snapshot import Snapshot
from ui.base import address, drafts, feedback, html, layout, pieces, session, times
from ui.base.follow import follow
from ui.base.fragments import rerun_only
from ui.base.html import Template
from ui.base.html_actions import Click, clicked, mark
from ui.base.links import MESSAGE
from ui.base.parts import MY_COHOSTING, MY_PROFILE
from ui.base.text import shortened
from ui.base.write_queue import WRITES, Expected, Mode
from ui.messages import composer
from ui.messages.composer import Composer
from ui.messages.edit import LONGEST, edit_message
from ui.messages.kinds import Message, event_of, writes_of
from ui.messages.room import Newest, in_order, newest_until, room_pieces
from ui.writes.submit import show_unsent, submit_removal, submit_row

_MORE: Final = 120
_AROUND: Final = 10
"""Messages that are shown before the one that the address names."""
_FURTHEST: Final = 5
"""How often older messages are loaded to reach it."""
_QUOTE: Final = Template('<blockquote class="tv-quote">{text}</blockquote>')


@dataclass(frozen=True, slots=True)
class Guests:
    """What a chat does with visitors: invites them to write, and sends them to sign in with their text."""

    invite: Callable[[], None]
    sign_in: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Look:
    """How a chat is shown: at least the `first` newest messages, `height` pixels high.

    `label` names it to screen readers. `nothing` is shown before the first message: emoji, title and text.
    """

    label: str
    first: int
    height: int
    nothing: tuple[str, str, str]


class Chat(ABC):
    """One chat, or one for each event. `name` is the key of its block and begins those of its fragments.

    Where there are several, `event_id` tells which one is shown; it is empty for the common room.
    """

    table: str
    moderated_by: Sequence[Dependency]
    """What says whether the viewer may hide messages."""

    def __init__(self, name: str, look: Look, guests: Guests) -> None:
        """Make the fragments of this chat. Create it once, when its page is imported."""
        self.name: Final = name
        self._look: Final = look
        self._guests: Final = guests
        self._shown: Final = f"{name}_shown"
        self._all_shown: Final = f"{name}_all_shown"
        self._which: Final = f"{name}_which"
        self._reached: Final = f"{name}_reached"
        self._sign_in_first: Final = f"{name}_sign_in_first"
        live = live_fragment(
            tables=(self.table, "users", WRITES),
            varies_by=("time_zone", "language", self._shown),
            key=f"{name}_messages",
            shared=True,
        )
        self._messages: Final = live(self._show_messages)
        marks = live_fragment(tables=self.moderated_by, varies_by=("user", "role"), key=f"{name}_marks")
        self._marks: Final = marks(self._show_marks)
        unsent = live_fragment(tables=(WRITES,), varies_by=("user",), key=f"{name}_deliveries")
        self._unsent: Final = unsent(self._show_unsent)
        self._earlier: Final = st.fragment(self._show_earlier, key=f"{name}_earlier")
        self._actions: Final = st.fragment(self._show_actions, key=f"{name}_actions")
        self._composer: Final = st.fragment(self._show_composer, key=f"{name}_composer")

    @abstractmethod
    def field(self, event_id: str) -> Composer:
        """Return the field to write in."""

    @abstractmethod
    def may_hide(self, event_id: str) -> bool:
        """Tell whether to offer the viewer to hide messages. The database enforces the rights."""

    @abstractmethod
    def new(self, event_id: str, author_id: str, body: str) -> Message:
        """Return a new message as it is expected to be written."""

    @abstractmethod
    def post(self, me: SignedIn, message: Any) -> Record:
        """Write a new message."""

    def filters(self, event_id: str) -> Sequence[Filter]:
        """Return which rows of the table to load and follow; all without a filter."""
        return ()

    def show(self, event_id: str = "") -> None:
        """Show the chat. Call it in the page's full run."""
        running_session.choose(self.table, self.filters(event_id))
        if st.session_state.get(self._which) != event_id:
            st.session_state[self._which] = event_id
            st.session_state[self._shown] = self._look.first
            st.session_state[self._all_shown] = False
        st.session_state.setdefault(self._shown, self._look.first)
        goal = self._goal(event_id)
        with st.container(key=self.name, height=self._look.height, autoscroll=True):
            self._earlier(event_id)
            self._messages(event_id)
        self._marks(event_id)
        follow(self.name, label=self._look.label, goal=goal)
        self._actions(event_id)
        self._composer(event_id)

    def _read(self) -> Snapshot[Message]:
        return session.table(self.table)

    def _goal(self, event_id: str) -> str | None:
        """Return the message that the address names, after loading what leads to it."""
        came, message_id = address.arrived(MESSAGE), address.read(MESSAGE)
        if message_id is None or (not came and message_id == st.session_state.get(self._reached)):
            return message_id
        if running_session.is_loading(self.table):
            return message_id  # it is brought into sight when it comes
        st.session_state[self._reached] = message_id
        for _ in range(_FURTHEST):
            if (count := newest_until(self._read(), event_id, message_id)) is not None:
                st.session_state[self._shown] = max(st.session_state[self._shown], count + _AROUND)
                return message_id
            if not self._load_before():
                break
        feedback.toast("This message is gone, or too far back to be shown here.", ":material/history:")
        return None

    # ---------------------------------------------------------------- read

    def _show_messages(self, event_id: str) -> None:
        messages, region = self._read(), session.region()
        if not in_order(messages, event_id):
            # `is_loading` is part of what the fragment shows of the table.
            if not running_session.is_loading(self.table):
                layout.empty(*self._look.nothing)
            return
        newest = Newest(st.session_state[self._shown], event_id)
        today, pending = times.today_in(region.zone), session.pending(self.table)
        shown = room_pieces(messages, session.users(), newest, region, today, pending)
        pieces.show(f"{self.name}_pieces", shown)

    def _show_earlier(self, event_id: str) -> None:
        enough = len(in_order(self._read(), event_id)) >= self._look.first
        # Each message would rerun it, so it follows the table only until there are earlier ones.
        enter_fragment(() if enough else (self.table,))
        if not enough or st.session_state.get(self._all_shown):
            return
        st.button(
            "Load earlier messages",
            key=f"{self.name}_load_earlier",
            type="tertiary",
            on_click=self._load_earlier,
            args=(event_id,),
            width="stretch",
        )

    def _load_earlier(self, event_id: str) -> None:
        st.session_state[self._shown] += _MORE
        if st.session_state[self._shown] > len(in_order(self._read(), event_id)):
            self._load_before()
        rerun_only(f"{self.name}_earlier", f"{self.name}_messages")

    def _load_before(self) -> bool:
        """Load older messages; return whether there may be more."""
        try:
            st.session_state[self._all_shown] = not session.load_older(self.table)
        except UnreachableError as error:
            feedback.toast_error(error)
            return False
        return not st.session_state[self._all_shown]

    # ---------------------------------------------------------------- edit, delete, hide

    def _show_marks(self, event_id: str) -> None:
        mark(self.name, everywhere=["moderator"] if self.may_hide(event_id) else [])

    def _show_actions(self, event_id: str) -> None:
        click = clicked(self.name, self._moderate)
        message = self._read().get((click.row,)) if click else None
        if click is not None and message is not None and event_of(message) == event_id:
            _act(click, message)

    def _moderate(self, click: Click) -> bool:
        """Hide a message or show it again, if the click says so."""
        newest: Snapshot[Message] = session.newest(self.table)
        # Of a page's own choice of rows, only the page has the older ones.
        message = newest.get((click.row,)) or self._read().get((click.row,))
        if message is None or click.action not in {"hide", "unhide"}:
            return False
        do = writes_of(message).unhide
        hidden: list[Expected] = []
        if click.action == "hide":
            do = writes_of(message).hide
            row = replace(message, body=None, hidden_at=datetime.now(UTC), hidden_by=session.my_id())
            hidden = [Expected(self.table, (message.id,), row)]
        # Only the database has the body of a hidden message, so `unhide` expects nothing before the answer.
        submit_row(self.table, lambda me: do(me, message.id, version=message.version), *hidden)
        return True

    # ---------------------------------------------------------------- write

    def _show_composer(self, event_id: str) -> None:
        if st.session_state.pop(self._sign_in_first, False):
            # The text waits as the draft of this tab.
            self._guests.sign_in()
        if session.my_id() is None:
            self._guests.invite()
        composer.show(
            self.field(event_id), lambda body: self._send(event_id, body), lambda: self._unsent(event_id)
        )

    def _send(self, event_id: str, body: str) -> bool:
        me = session.my_id()
        if me is None:
            st.session_state[self._sign_in_first] = True
            return False
        message = self.new(event_id, me, body)
        submit_row(
            self.table,
            lambda me: self.post(me, message),
            Expected(self.table, (message.id,), message, new=True),
            text=body,
            mode=Mode.RETRY_WHEN_ONLINE,
            notify=False,
        )
        return True

    def _show_unsent(self, event_id: str) -> None:
        show_unsent(self.table)


class RoomChat(Chat):
    """The common room."""

    table = tavern_messages.TABLE
    moderated_by = (MY_PROFILE,)

    def field(self, event_id: str) -> Composer:
        """Return the field to write in."""
        return Composer(drafts.ROOM, "room_say", "Say something…", LONGEST)

    def may_hide(self, event_id: str) -> bool:
        """Tell whether the viewer is an admin."""
        return session.is_admin()

    def new(self, event_id: str, author_id: str, body: str) -> TavernMessage:
        """Return a new message as it is expected to be written."""
        now = datetime.now(UTC)
        return TavernMessage(str(uuid.uuid4()), author_id, body, None, None, None, 0, now, now)

    def post(self, me: SignedIn, message: TavernMessage) -> Record:
        """Write a new message."""
        return tavern_messages.post(me, message.id, message.body or "")


class EventChat(Chat):
    """The discussions of events. `is_host` tells whether the viewer hosts an event."""

    table = event_messages.TABLE
    moderated_by = (MY_PROFILE, MY_COHOSTING)

    def __init__(self, name: str, look: Look, guests: Guests, is_host: Callable[[str], bool]) -> None:
        """Make the fragments of the discussions."""
        super().__init__(name, look, guests)
        self._is_host: Final = is_host

    def field(self, event_id: str) -> Composer:
        """Return the field to write in."""
        return Composer(drafts.discussion(event_id), f"discussion_{event_id}", "Write to everybody…", LONGEST)

    def may_hide(self, event_id: str) -> bool:
        """Tell whether the viewer hosts the event, or is an admin."""
        return session.is_admin() or self._is_host(event_id)

    def new(self, event_id: str, author_id: str, body: str) -> EventMessage:
        """Return a new message as it is expected to be written."""
        now = datetime.now(UTC)
        return EventMessage(str(uuid.uuid4()), event_id, author_id, body, None, None, None, 0, now, now)

    def post(self, me: SignedIn, message: EventMessage) -> Record:
        """Write a new message."""
        return event_messages.post(me, message.id, message.event_id, message.body or "")

    def filters(self, event_id: str) -> Sequence[Filter]:
        """Load and follow the messages of this event alone."""
        return [Filter.of("event_id", Operator.EQ, event_id)]


def _act(click: Click, message: Message) -> None:
    match click.action:
        case "edit":
            edit_message(message)
        case "delete":
            _delete(message)


@st.dialog("Delete this message?")
def _delete(message: Message) -> None:
    html.show(_QUOTE(text=shortened(message.body or "", 200)))
    st.caption("It disappears for everybody. You cannot undo this.")
    if not st.button("Delete", type="primary", icon=":material/delete:"):
        return
    writes = writes_of(message)
    submit_removal(writes.TABLE, (message.id,), lambda me: writes.remove(me, message.id))
    st.rerun()
