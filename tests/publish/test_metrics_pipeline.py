"""The pipeline of decisions: what is sent again, and what the database will never take."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from publish.metrics_pipeline import Pipeline

QUOTA = {"code": "PT429", "message": "A little slower, please.", "details": "7", "hint": None}
TOO_LARGE = {"code": "PT429", "message": "That is too much at once.", "details": None, "hint": None}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[httpx.Response]]:
    """Answers of the database, taken from the end; without one left it takes everything."""
    responses: list[httpx.Response] = []

    def answer(request: httpx.Request) -> httpx.Response:
        del request
        return responses.pop() if responses else httpx.Response(201, content=b"")

    client = httpx.Client

    @contextmanager
    def connect(**_: object) -> Iterator[httpx.Client]:
        with client(transport=httpx.MockTransport(answer)) as http:
            yield http

    monkeypatch.setattr("publish.metrics_pipeline.httpx.Client", connect)
    yield responses
    assert responses == []


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    pipeline = Pipeline("http://database", "key", lambda: "token")
    yield pipeline
    pipeline.stop_when_idle()


def put(pipeline: Pipeline, count: int) -> None:
    for number in range(count):
        pipeline.put({"user_id": "ann", "request_id": str(number), "dropped": 0})


def test_a_used_up_quota_is_waited_for(pipeline: Pipeline, answers: list[httpx.Response]) -> None:
    answers.append(httpx.Response(429, json=QUOTA))
    put(pipeline, 3)
    assert pipeline.flush(30)
    assert (pipeline.refused, pipeline.requests, pipeline.problem) == (0, 2, "A little slower, please.")


def test_a_batch_that_is_too_large_is_sent_in_parts(
    pipeline: Pipeline, answers: list[httpx.Response]
) -> None:
    answers.append(httpx.Response(429, json=TOO_LARGE))
    put(pipeline, 4)
    assert pipeline.flush(30)
    assert (pipeline.refused, pipeline.requests) == (0, 3)


def test_a_row_that_is_refused_alone_is_dropped_and_counted(
    pipeline: Pipeline, answers: list[httpx.Response]
) -> None:
    answers.append(httpx.Response(400, json={"code": "P0001", "message": "Too early.", "details": None}))
    put(pipeline, 1)
    assert pipeline.flush(30)
    assert (pipeline.refused, pipeline.unsent, pipeline.problem) == (1, 0, "Too early.")
