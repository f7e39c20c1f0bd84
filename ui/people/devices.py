"""Where one is signed in, with a way to sign each device out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import streamlit as st

from db.auth import devices
from db.auth.devices import Device
from db.auth.signed_in import SignedIn
from db.errors import DatabaseError
from livetables.fragments import live_fragment
from ui.base import feedback, session, times
from ui.base.kept_reads import kept_reads
from ui.base.region import Region
from ui.base.text import as_label

_ENDED: Final = "ended_sessions"
_KEPT: Final = "devices"
_FRESH: Final = timedelta(minutes=1)
_RENEWED_EVERY: Final = timedelta(hours=1)
"""How long a token lasts at most. A device that is in use renews it, so its time says no more than that."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read, when, and at which revision of the ended sessions."""

    read_at: datetime
    ended: int
    found: list[Device]


@live_fragment(tables=(_ENDED,), varies_by=("user",), key="profile_devices")
def show() -> None:
    """List the sign-ins of this person. One that ends disappears at once."""
    me = session.signed_in()
    if me is None:
        return
    st.header("Devices signed in", anchor=False)
    try:
        found = _found(me)
    except DatabaseError as error:
        feedback.show_error(error)
        st.button("Try again", icon=":material/refresh:", key="devices_again")
        return
    for device in found:
        _device(device)
    others = [device.id for device in found if not device.is_this]
    if not others:
        st.caption("You are signed in nowhere else.")
        return
    if st.button("Sign out everywhere else", icon=":material/devices:", key="devices_others"):
        _end(lambda: devices.sign_out_others(me), others, "You are signed out everywhere else.")


def _found(me: SignedIn) -> list[Device]:
    """Return the sign-ins, without asking again for what was read a moment ago."""
    now, ended = datetime.now(UTC), session.table(_ENDED).revision
    kept = cast("_Read | None", kept_reads().get(_KEPT))
    if kept is None or kept.ended != ended or now - kept.read_at > _FRESH:
        kept = kept_reads()[_KEPT] = _Read(now, ended, devices.mine(me))
    return kept.found


def _device(device: Device) -> None:
    me, now = session.signed_in(), datetime.now(UTC)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"device_{device.id}"):
        with st.container(width="stretch"):
            st.text(device.name + (" (this device)" if device.is_this else ""))
            st.caption(as_label(times_of(device, now, session.region())))
        if me is None or device.is_this:
            return
        pressed = st.button("Sign this one out", icon=":material/logout:", key=f"end_{device.id}")
    if pressed:
        _end(lambda: devices.sign_out(me, device.id), [device.id], f"{device.name} is signed out.")


def times_of(device: Device, now: datetime, region: Region) -> str:
    """Say since when a device is signed in, and when it was used, as exactly as its hourly renewals tell."""
    since = times.short_day(device.signed_in_at, region, times.today_in(region.zone))
    if device.is_this:
        used = "active now"
    elif now - device.used_at < _RENEWED_EVERY:
        used = "active in the last hour"
    else:
        used = f"last active {times.ago(device.used_at, now)}"
    return f"Since {since}, {used}"


def _end(send: Callable[[], None], device_ids: list[str], done: str) -> None:
    try:
        send()
    except DatabaseError as error:
        feedback.show_error(error)
        return
    kept_reads().pop(_KEPT, None)
    session.services().accounts.end_sessions(device_ids)
    feedback.toast(done, ":material/logout:")
    st.rerun(scope="fragment")
