"""The metrics: closed to strangers, and the figures that Diagnostics shows."""

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from api.backend import Backend
from api.metrics import exposition
from livetables.counts import COUNTS
from livetables.faults import FAULTS
from tests.api.conftest import METRICS
from tests.api.serving import token_of
from tests.api.test_health import api_of
from tests.support.app import AppUnderTest
from tests.support.people import Person
from tests.support.wait import wait_for


def figures(text: str) -> dict[str, float]:
    """Return the samples by name and labels, as Prometheus writes them."""
    return {
        f"{sample.name}{''.join(f'[{value}]' for value in sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def status_with(api: FastAPI, authorization: str | None) -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://tavern.test") as client:
        return (await client.get("/metrics", headers=headers)).status_code


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer None", "None", "Basic bm86bm8="])
async def test_without_a_token_in_the_settings_there_are_no_metrics(
    authorization: str | None, dark: Backend
) -> None:
    assert await status_with(api_of(lambda: dark), authorization) == 404


def test_strangers_find_what_they_find_at_any_unknown_path(server: AppUnderTest, ann: Person) -> None:
    unknown = httpx.get(f"{server.url}/api/nothing")
    for token in ("x", METRICS[:-1], f"{METRICS}x", METRICS.upper(), "é", token_of(ann)):
        headers = {b"Authorization": f"Bearer {token}".encode()}
        answer = httpx.get(f"{server.url}/api/metrics", headers=headers)
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    assert "/metrics" not in httpx.get(f"{server.url}/api/openapi.json").json()["paths"]
    assert httpx.get(f"{server.url}/_stcore/metrics").status_code == 404


def test_who_has_the_token_reads_the_figures_of_a_live_process(server: AppUnderTest) -> None:
    def read() -> dict[str, float]:
        answer = httpx.get(f"{server.url}/api/metrics", headers={"Authorization": f"Bearer {METRICS}"})
        return figures(answer.raise_for_status().text)

    wait_for(lambda: read()["tavern_feed_state[Live]"] == 1, within=60, what="the process to be live")
    found = read()
    assert (found["tavern_feed_state[Offline]"], found["tavern_feeds[public]"]) == (0, 1)
    assert found["process_cpu_seconds_total"] > 0


def test_each_figure_is_read_where_it_is_kept(dark: Backend) -> None:
    dark.engine.attach("a tab", None)
    COUNTS.pushed()
    COUNTS.rerun()
    COUNTS.repaired(2)
    FAULTS.record("a test", ValueError("of the metrics"))
    found = figures(exposition(dark.engine).decode())
    assert (found["tavern_sessions[visitor]"], found["tavern_sessions[member]"]) == (1, 0)
    assert found["tavern_deliveries_total[push]"] == COUNTS.now.pushes
    assert found["tavern_deliveries_total[rerun]"] == COUNTS.now.reruns
    assert found["tavern_repaired_total"] == COUNTS.now.repaired
    assert found["tavern_changes_total"] == COUNTS.now.changes
    assert found["tavern_change_lag_seconds_count"] == COUNTS.now.timed
    assert found["tavern_faults_total[a test]"] == FAULTS.counts["a test"]
    assert found["tavern_people"] == 0
