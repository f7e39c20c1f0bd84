"""The figures of this process in Prometheus' format, for who has the token. For others there is no such page.

Nothing is counted here: each figure is read where it is kept, which Diagnostics shows as well.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException

from api.context import context_of
from livetables.counts import COUNTS
from livetables.engine import Engine
from livetables.faults import FAULTS
from livetables.feed.status import FeedState

_NO_STORE: Final = {"Cache-Control": "no-store"}

router: Final = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Answer with all figures. Raises 404 without the token, as every path does that is not there."""
    context = context_of(request)
    if not _is_known(request.headers.get("authorization", ""), context.settings.metrics_token):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    engine = (await context.backend()).engine
    return Response(exposition(engine), media_type=CONTENT_TYPE_PLAIN_0_0_4, headers=_NO_STORE)


def _is_known(authorization: str, token: str | None) -> bool:
    scheme, _, given = authorization.partition(" ")
    # The comparison takes the same time for any wrong token.
    same = secrets.compare_digest(given.strip().encode(), (token or secrets.token_hex()).encode())
    return same and token is not None and scheme.lower() == "bearer"


def exposition(engine: Engine) -> bytes:
    """Return the figures of an engine and of this process as text."""
    registry = CollectorRegistry()
    registry.register(_Figures(engine))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Figures(Collector):
    """Reads the figures when they are asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[Metric]:
        yield from self._people()
        yield from self._connection()
        yield from _deliveries()
        yield _by_label("tavern_faults", "Faults that background work survived.", "place", FAULTS.counts)

    def _people(self) -> Iterator[Metric]:
        users = list(self._engine.sessions.values())
        visitors = users.count(None)
        sessions = GaugeMetricFamily("tavern_sessions", "Open tabs, and streams of the API.", labels=["who"])
        sessions.add_metric(["member"], len(users) - visitors)
        sessions.add_metric(["visitor"], visitors)
        yield sessions
        people = len(set(users) - {None})
        yield GaugeMetricFamily("tavern_people", "Signed-in people who have a tab open.", value=people)
        feeds = GaugeMetricFamily("tavern_feeds", "Subscriptions that are open.", labels=["audience"])
        private = len(self._engine.feeds - {None})
        for audience, count in (
            ("public", len(self._engine.feeds) - private),
            ("person", private),
            ("view", len(self._engine.views)),
        ):
            feeds.add_metric([audience], count)
        yield feeds

    def _connection(self) -> Iterator[Metric]:
        status = self._engine.status()
        states = GaugeMetricFamily("tavern_feed_state", "1 for the public feed's state.", labels=["state"])
        for state in FeedState:
            states.add_metric([state.value], int(state is status.state))
        yield states
        if status.last_lag is not None:
            text = "From the commit of the public feed's newest change to its arrival."
            yield GaugeMetricFamily("tavern_feed_last_lag_seconds", text, status.last_lag.total_seconds())


def _deliveries() -> Iterator[Metric]:
    counted = COUNTS.now
    yield CounterMetricFamily("tavern_changes", "Changes that arrived over the streams.", counted.changes)
    yield SummaryMetricFamily(
        "tavern_change_lag_seconds",
        "From the commit of a change to its arrival.",
        count_value=counted.timed,
        sum_value=counted.lag.total_seconds(),
    )
    ways = {"push": counted.pushes, "rerun": counted.reruns}
    text = "Updates of a session because of somebody's change."
    yield _by_label("tavern_deliveries", text, "way", ways)
    text = "Changes that a live stream had lost, and that reading found."
    yield CounterMetricFamily("tavern_repaired", text, counted.repaired)


def _by_label(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
