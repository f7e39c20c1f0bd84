"""Two processes on a real stack tell each other who is here."""

from collections.abc import Iterator
from contextlib import contextmanager

from live.engine import Engine, EngineConfig
from live.presence import PRESENCE, Present
from live.presence_feed import Pace
from local_supabase.runtime import StackInfo
from tests.live.fault_proxy import FaultProxy
from tests.support.wait import wait_for

PACE = Pace(tell=1.5, settle=0.1, look=0.5, first_retry=0.1, longest_retry=1.0)
"""Quicker than Realtime allows for long; here each process tells only a few times."""


@contextmanager
def process(stack: StackInfo, url: str | None = None) -> Iterator[Engine]:
    """Run an engine as another process would have it."""
    engine = Engine.start(EngineConfig(url or stack.url, stack.anon_key), [])
    engine.presence._pace = PACE
    try:
        yield engine
    finally:
        engine.stop()


def counts(engine: Engine) -> tuple[set[str], int]:
    """Who is here, as this process shows it."""
    return set(engine.presence.present.people), engine.presence.present.visitors


def agree(engines: list[Engine], people: set[str], visitors: int) -> None:
    """Wait until all of them show the same."""
    wait_for(
        lambda: all(counts(engine) == (people, visitors) for engine in engines),
        within=60,
        what=f"{people} and {visitors}, after {[counts(engine) for engine in engines]}",
    )


def test_everybody_is_seen_by_both_until_they_leave(stack: StackInfo) -> None:
    with process(stack) as one, process(stack) as two:
        woken: list[frozenset[str]] = []
        two.listen(lambda _sessions, tables: woken.append(tables))
        two.attach("tab of a visitor", None)
        one.presence.put("tab 1", "ada", "events", "e1")
        one.presence.put("tab 2", "ada", "tavern")
        two.presence.put("tab 3", "bo", "events", "e1")
        two.presence.put("tab of a visitor", None, "tavern")
        agree([one, two], {"ada", "bo"}, 1)
        for engine in (one, two):
            assert set(engine.presence.present.viewing("e1")) == {"ada", "bo"}
        assert frozenset({PRESENCE}) in woken
        assert two.revision(PRESENCE) > 0

        two.detach("tab of a visitor")
        one.presence.leave("tab 1")
        one.presence.leave("tab 2")
        agree([one, two], {"bo"}, 0)
        assert two.presence.present.viewing("e1") == ("bo",)


def test_a_process_that_ends_is_forgotten(stack: StackInfo) -> None:
    with process(stack) as one:
        one.presence.put("tab", "ada", "tavern")
        with process(stack) as two:
            two.presence.put("tab", "bo", "tavern")
            agree([one, two], {"ada", "bo"}, 0)
        agree([one], {"ada"}, 0)


def test_an_outage_is_survived(stack: StackInfo, proxy: FaultProxy) -> None:
    with process(stack) as one, process(stack, proxy.url) as two:
        one.presence.put("tab", "ada", "tavern")
        two.presence.put("tab", "bo", "tavern")
        agree([one, two], {"ada", "bo"}, 0)
        proxy.refuse()
        agree([one], {"ada"}, 0)
        assert "bo" in two.presence.present.people
        proxy.heal()
        agree([one, two], {"ada", "bo"}, 0)


def test_where_nobody_shows_who_is_here_nothing_is_opened(stack: StackInfo) -> None:
    with process(stack) as quiet:
        assert quiet.presence.present == Present()
        assert quiet.revision(PRESENCE) == 0
