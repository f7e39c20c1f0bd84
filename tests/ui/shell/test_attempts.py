"""Who may try to sign in how often."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from limits import RateLimitItemPerMinute

from db.errors import SlowDownError
from tests.support.people import unique
from ui.shell import attempts


def _come_from(monkeypatch: pytest.MonkeyPatch, address: str | None, forwarded: str | None = None) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    monkeypatch.setattr("streamlit.context", SimpleNamespace(ip_address=address, headers=headers))


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grant an address two attempts."""
    monkeypatch.setattr(attempts, "RATE", RateLimitItemPerMinute(2, 5))


def _tries(times: int) -> None:
    for _ in range(times):
        attempts.count()


def test_an_address_that_tries_too_often_waits_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    _come_from(monkeypatch, unique("address"))
    _tries(2)
    with pytest.raises(SlowDownError, match="try again in") as refused:
        attempts.count()
    assert refused.value.wait is not None
    assert 0 < refused.value.wait <= 300
    _come_from(monkeypatch, unique("other"))
    _tries(2)


def test_a_visitor_behind_a_local_proxy_cannot_invent_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    real = unique("real")
    for invented in ("1.1.1.1", "2.2.2.2"):
        _come_from(monkeypatch, None, f"{invented}, {real}")
        attempts.count()
    _come_from(monkeypatch, None, f"3.3.3.3, {real}")
    with pytest.raises(SlowDownError):
        attempts.count()


def test_this_machine_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    _come_from(monkeypatch, None)
    _tries(5)
    assert attempts._address() is None
