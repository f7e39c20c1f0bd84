"""Who gets in while the demo people have accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from tests.ui.samples import snapshot, user
from ui.base.session import Services
from ui.shell import demo


@dataclass(frozen=True, slots=True)
class Context:
    """How a browser is connected."""

    ip_address: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Host": "localhost:8501"})


def _services(*, embedded: bool, with_demo: bool) -> Services:
    ada = user("Ada", id=demo.PEOPLE[0].user_id)
    users = snapshot([ada] if with_demo else [])
    engine = SimpleNamespace(tables=lambda: {"users": users})
    return cast(Services, SimpleNamespace(embedded=embedded, engine=engine))


FROM_HERE = [Context(), Context(headers={"Host": "127.0.0.1:8501"}), Context(headers={"Host": "[::1]:8501"})]
FROM_ELSEWHERE = [
    Context(ip_address="192.168.1.7"),
    Context(headers={"Host": "tavern.example"}),
    Context(headers={"Host": "localhost:8501", "X-Forwarded-For": "203.0.113.9"}),
]


@pytest.mark.parametrize("context", FROM_HERE)
def test_people_on_this_machine_get_in(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.context", context)
    assert not demo.keeps_out(_services(embedded=True, with_demo=True))


@pytest.mark.parametrize("context", FROM_ELSEWHERE)
def test_others_do_not(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.context", context)
    assert demo.keeps_out(_services(embedded=True, with_demo=True))


@pytest.mark.parametrize("context", FROM_ELSEWHERE)
def test_everybody_does_without_demo_people_or_if_it_is_meant_so(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamlit.context", context)
    assert not demo.keeps_out(_services(embedded=True, with_demo=False))
    assert not demo.keeps_out(_services(embedded=False, with_demo=True))
    monkeypatch.setenv(demo.OPENED_BY, "1")
    assert not demo.keeps_out(_services(embedded=True, with_demo=True))
