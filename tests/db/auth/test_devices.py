"""People see where they are signed in, and end these sign-ins: their own only, and only while signed in."""

from contextlib import closing

import pytest

from db import errors
from db.auth import devices
from db.auth.accounts import Accounts
from db.auth.devices import Device
from db.clients import Clients
from local_supabase.stack.runtime import StackInfo
from tests.db.conftest import PASSWORD, SignUp
from tests.supabase_schema.database import session

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/139.0.0.0 Mobile Safari/537.36"
EDGE = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0"
SAFARI = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {_WEBKIT} Version/18.5 Safari/604.1"


def named(user_agent: str | None) -> str:
    """Return the name of a device with this user agent."""
    record = {"id": "1", "signed_in_at": "2026-12-02T10:00:00Z", "used_at": "2026-12-02T10:00:00Z"}
    return Device.from_record({**record, "user_agent": user_agent, "is_this": True}).name


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        (CHROME, "Chrome on Android"),
        (SAFARI, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("python-httpx/0.28.1", "Unknown device"),
        ("", "Unknown device"),
        (None, "Unknown device"),
    ],
)
def test_devices_have_the_names_that_people_use(user_agent: str | None, name: str) -> None:
    assert named(user_agent) == name


def test_each_sign_in_is_listed_with_its_browser_this_one_first(accounts: Accounts, sign_up: SignUp) -> None:
    email = sign_up("Ana").email
    me = accounts.sign_in(email, PASSWORD, user_agent=FIREFOX)
    accounts.sign_in(email, PASSWORD, user_agent=SAFARI)
    names = [(device.name, device.is_this) for device in devices.mine(me)]
    assert names == [("Firefox on Windows", True), ("Safari on iPhone", False), ("Unknown device", False)]


def test_a_device_keeps_its_name_when_its_tokens_are_renewed(accounts: Accounts, sign_up: SignUp) -> None:
    me = accounts.sign_in(sign_up("Ben").email, PASSWORD, user_agent=FIREFOX)
    before = devices.mine(me)[0]
    me.renew()
    after = devices.mine(me)[0]
    assert (after.id, after.name) == (before.id, "Firefox on Windows")
    assert after.used_at > before.used_at


def test_another_process_names_the_browser_that_it_restores(clients: Clients, sign_up: SignUp) -> None:
    cookie = str(sign_up("Cleo").cookie)
    with closing(Accounts(clients)) as other:
        me = other.restore(cookie, user_agent=CHROME)
        assert [device.name for device in devices.mine(me)] == ["Chrome on Android"]


def test_one_device_is_signed_out(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Dan")
    lost = accounts.sign_in(me.email, PASSWORD)
    devices.sign_out(me, lost.session_id)
    assert [device.id for device in devices.mine(me)] == [me.session_id]
    with pytest.raises(errors.SignedOutError):
        lost.renew()


def test_signing_a_device_out_twice_does_no_harm(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Eli")
    lost = accounts.sign_in(me.email, PASSWORD)
    for _ in range(2):
        devices.sign_out(me, lost.session_id)
    assert len(devices.mine(me)) == 1


def test_all_other_devices_are_signed_out(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Fay")
    others = [accounts.sign_in(me.email, PASSWORD) for _ in range(2)]
    devices.sign_out_others(me)
    assert [device.id for device in devices.mine(me)] == [me.session_id]
    for other in others:
        with pytest.raises(errors.SignedOutError):
            other.renew()


def test_nobody_signs_somebody_else_out(sign_up: SignUp) -> None:
    me, other = sign_up("Gus"), sign_up("Hal")
    devices.sign_out(other, me.session_id)
    assert [device.id for device in devices.mine(me)] == [me.session_id]
    assert me.session_id not in [device.id for device in devices.mine(other)]


def test_the_token_of_a_device_that_was_signed_out_ends_no_other(accounts: Accounts, sign_up: SignUp) -> None:
    me = sign_up("Ivo")
    lost = accounts.sign_in(me.email, PASSWORD)
    devices.sign_out(me, lost.session_id)
    with pytest.raises(errors.NotAllowedError, match="has ended"):
        devices.mine(lost)
    with pytest.raises(errors.NotAllowedError, match="has ended"):
        devices.sign_out(lost, me.session_id)
    assert [device.id for device in devices.mine(me)] == [me.session_id]


def test_a_sign_in_that_has_expired_is_not_listed(
    accounts: Accounts, sign_up: SignUp, stack: StackInfo
) -> None:
    me = sign_up("Joy")
    expired = accounts.sign_in(me.email, PASSWORD)
    with session(stack.database_url) as owner:
        owner.run(
            "update auth.sessions set not_after = now() - interval '1 s' where id = %s", expired.session_id
        )
        owner.commit()
    assert [device.id for device in devices.mine(me)] == [me.session_id]
