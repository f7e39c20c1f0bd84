"""Where a person is signed in: their own sessions at the Auth service, and ending them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast

from supabase_auth.errors import AuthError

from db import rows
from db.auth.signed_in import SignedIn
from db.columns import AwareDatetime, Model, Record
from db.errors import from_auth

_BROWSERS: Final = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
"""Names of browsers, and by what each is known. Most name others as well, so the order matters."""

_SYSTEMS: Final = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("ChromeOS", r"CrOS"),
    ("macOS", r"Macintosh|Mac OS X"),
    ("Linux", r"Linux|X11"),
)


@dataclass(frozen=True, slots=True)
class Device(Model):
    """One sign-in of a person. `used_at` is when its tokens were last renewed."""

    id: str
    signed_in_at: AwareDatetime
    used_at: AwareDatetime
    user_agent: str | None
    is_this: bool

    @property
    def name(self) -> str:
        """The browser and the system, as people call them: `Firefox on Windows`."""
        browser, system = (_found(names, self.user_agent or "") for names in (_BROWSERS, _SYSTEMS))
        if browser and system:
            return f"{browser} on {system}"
        return browser or system or "Unknown device"


def _found(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, user_agent)), "")


def mine(me: SignedIn) -> list[Device]:
    """Return where this person is signed in, this browser first, then the last used.

    Raises `NotAllowedError` when this sign-in has ended.
    """
    answer = cast("list[Record]", rows.call(me, "my_sessions", {}))
    return [Device.from_record(record) for record in answer]


def sign_out(me: SignedIn, device_id: str) -> None:
    """Sign this person out on one device. It is no error if it was signed out already."""
    rows.repeat_if_lost(lambda: rows.call(me, "end_session", {"p_session": device_id}))


def sign_out_others(me: SignedIn) -> None:
    """Sign this person out everywhere but in this browser.

    Raises `UnreachableError` when the service does not answer.
    """
    try:
        me.clients.auth().admin.sign_out(me.access_token(), "others")
    except AuthError as error:
        raise from_auth(error) from error
