"""Something of one person's own, in no table: their sessions are woken for it, and nobody else's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from live.engine import Engine, EngineConfig


@dataclass(frozen=True)
class Somebody:
    """A person whose feed never gets a token."""

    user_id: str

    @property
    def claims(self) -> dict[str, object]:
        return {}

    def access_token(self) -> str:
        raise ConnectionError

    def on_token(self, _: Callable[[str], object]) -> Callable[[], None]:
        return lambda: None


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine.start(EngineConfig("http://127.0.0.1:9", "key"), [])
    engine.attach("ada's tab", Somebody("ada"))
    engine.attach("ada's other tab", Somebody("ada"))
    engine.attach("bo's tab", Somebody("bo"))
    engine.attach("a visitor's tab", None)
    yield engine
    engine.stop()


def test_it_is_told_to_this_persons_sessions_only(engine: Engine) -> None:
    told: list[tuple[frozenset[str], frozenset[str]]] = []
    stop = engine.listen(lambda sessions, tables: told.append((sessions, tables)))
    engine.own_changed("drafts", "ada", 7)
    stop()
    mine = [each for each in told if each[1] == frozenset({"drafts"})]
    assert mine == [(frozenset({"ada's tab", "ada's other tab"}), frozenset({"drafts"}))]
    assert engine.revision("drafts", "ada") == 7
    assert engine.revision("drafts", "bo") == engine.revision("drafts") == 0
    engine.own_changed("drafts", "ada", 0)
    assert engine.revision("drafts", "ada") == 0
