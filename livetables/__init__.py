"""Live tables of a Supabase project in Streamlit: every tab shows every change as it is committed.

    import livetables as live

    db = live.connect("supabase")
    db.watch("items", order="title")
    live.begin()

An app needs nothing but the names in `__all__`. The modules below are the engine: it knows no table of the
app that uses it. Start with `library` (what these names do), `engine` (keeps all tables current),
`tables.spec` (describes one table), and `running_session` and `fragments` (show the tables).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from livetables.auth.errors import SignInError
    from livetables.errors import (
        ClashError,
        FilterError,
        LiveError,
        ProjectError,
        ReadError,
        SetupError,
        UnsupportedStreamlitError,
        WriteError,
    )
    from livetables.library.connect import connect
    from livetables.library.database import Database
    from livetables.library.row_types import Row
    from livetables.library.session import user
    from livetables.library.show import badge, begin, choose, fragment, pending, rows, status
    from livetables.library.sign_in import sign_in, sign_out
    from livetables.library.writes import Write
    from livetables.running_session import is_loading, load_older

__version__ = "0.1.0"

__all__ = [
    "ClashError",
    "Database",
    "FilterError",
    "LiveError",
    "ProjectError",
    "ReadError",
    "Row",
    "SetupError",
    "SignInError",
    "UnsupportedStreamlitError",
    "Write",
    "WriteError",
    "badge",
    "begin",
    "choose",
    "connect",
    "fragment",
    "is_loading",
    "load_older",
    "pending",
    "rows",
    "sign_in",
    "sign_out",
    "status",
    "user",
]

_HOMES: Final = {
    "livetables.auth.errors": ("SignInError",),
    "livetables.errors": (
        "ClashError", "FilterError", "LiveError", "ProjectError", "ReadError", "SetupError",
        "UnsupportedStreamlitError", "WriteError",
    ),
    "livetables.library.connect": ("connect",),
    "livetables.library.database": ("Database",),
    "livetables.library.row_types": ("Row",),
    "livetables.library.session": ("user",),
    "livetables.library.show": ("badge", "begin", "choose", "fragment", "pending", "rows", "status"),
    "livetables.library.sign_in": ("sign_in", "sign_out"),
    "livetables.library.writes": ("Write",),
    "livetables.running_session": ("is_loading", "load_older"),
}  # fmt: skip
"""The module of each name. It is imported when the name is first used, so that the engine alone is light."""

_MODULES: Final = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'livetables' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
