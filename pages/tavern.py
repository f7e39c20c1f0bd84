"""The common room: a chat for everybody."""

from __future__ import annotations

from ui.base import layout, session
from ui.messages.chat import Look, RoomChat
from ui.shell import welcome
from ui.shell.guests import GUESTS
from ui.shell.run_app import run_whole_app

_ROOM = RoomChat(
    "room", Look("Messages", 80, 560, ("🍺", "Quiet so far", "Write the first message.")), GUESTS
)


def show() -> None:
    layout.page_head("The common room", "Everybody can read what you write here.")
    if session.signed_in() is None:
        welcome.show()
    _ROOM.show()


if __name__ == "__main__":
    run_whole_app()
