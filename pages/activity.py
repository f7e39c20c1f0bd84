"""The change log, for admins."""

from __future__ import annotations

from collections.abc import Mapping

from ui.activity import board, cleaning
from ui.base import layout, session
from ui.events import tables
from ui.shell.run_app import run_whole_app


def show() -> None:
    layout.page_head("Activity", "What people change, newest first, as it happens.")
    if not session.is_admin():
        layout.empty("🗝️", "For admins only", "Only admins see what everybody has changed.")
        return
    board.show_filters()
    board.show_log(_titles)
    cleaning.show()


def _titles() -> Mapping[str, str]:
    return tables.events().derived("titles", lambda rows: {each.id: each.title for each in rows.values()})


if __name__ == "__main__":
    run_whole_app()
