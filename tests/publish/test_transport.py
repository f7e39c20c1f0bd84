"""One write over HTTP: what arrived, what is retried, and what the database will never take."""

from collections.abc import AsyncIterator

import httpx
import pytest

from publish import RunStatus
from publish.errors import PublishError
from publish.transport import Outcome, Transport, project_of
from publish.unsent import EventsInsert, RunInsert, RunPatch, Write

INSERT = RunInsert("run", {"id": "run", "status": "in_progress"})
EVENTS = EventsInsert("run", ({"id": "event", "run_id": "run"},))
PATCH = RunPatch("run", {"status": "completed"})


class Answers:
    """A database that answers with these responses, one after the other."""

    def __init__(self, *responses: httpx.Response) -> None:
        self._responses = iter(responses)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        del request
        return next(self._responses)


def refusal(code: str, message: str = "No.", details: str | None = None) -> httpx.Response:
    return httpx.Response(400, json={"code": code, "message": message, "details": details, "hint": None})


@pytest.fixture
async def http() -> AsyncIterator[list[httpx.AsyncClient]]:
    clients: list[httpx.AsyncClient] = []
    yield clients
    for client in clients:
        await client.aclose()


async def outcome_of(http: list[httpx.AsyncClient], write: Write, *responses: httpx.Response) -> Outcome:
    http.append(httpx.AsyncClient(transport=httpx.MockTransport(Answers(*responses))))
    transport = Transport("http://database", "key", lambda: "token", http[-1])
    result = await transport.send(write)
    assert transport.requests == len(responses)
    return result.outcome


@pytest.mark.parametrize("write", [INSERT, EVENTS], ids=lambda write: type(write).__name__)
async def test_inserts_arrive(http: list[httpx.AsyncClient], write: Write) -> None:
    assert await outcome_of(http, write, httpx.Response(201, content=b"")) is Outcome.SENT


async def test_a_patch_that_matches_no_row_asks_for_the_status(http: list[httpx.AsyncClient]) -> None:
    nothing = httpx.Response(200, json=[])
    for status, outcome in ((RunStatus.COMPLETED, Outcome.SENT), (RunStatus.CANCELLED, Outcome.CLOSED)):
        found = httpx.Response(200, json=[{"status": status.value}])
        assert await outcome_of(http, PATCH, nothing, found) is outcome


@pytest.mark.parametrize("write", [INSERT, PATCH], ids=lambda write: type(write).__name__)
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (refusal("P0001"), Outcome.REFUSED),
        (refusal("42501"), Outcome.REFUSED),
        (refusal("PGRST301", "JWT expired"), Outcome.RETRY),
        (refusal("PGRST000"), Outcome.RETRY),
        (httpx.Response(502, text="Bad gateway"), Outcome.RETRY),
        (refusal("PT429", "A little slower, please.", "7"), Outcome.RETRY),
        (refusal("PT429", "That is too much at once."), Outcome.REFUSED),
    ],
    ids=["trigger", "policy", "token", "connection", "gateway", "quota", "too large"],
)
async def test_only_what_the_database_will_never_take_is_dropped(
    http: list[httpx.AsyncClient], write: Write, answer: httpx.Response, outcome: Outcome
) -> None:
    assert await outcome_of(http, write, answer) is outcome


async def test_without_a_token_nothing_is_sent_now(http: list[httpx.AsyncClient]) -> None:
    def signed_out() -> str:
        raise RuntimeError("signed out")

    http.append(httpx.AsyncClient(transport=httpx.MockTransport(Answers())))
    transport = Transport("http://database", "key", signed_out, http[-1])
    assert (await transport.send(INSERT)).outcome is Outcome.RETRY
    assert transport.requests == 0


def test_the_project_comes_from_the_arguments_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "http://environment/")
    monkeypatch.delenv("SUPABASE_KEY", raising=False)
    assert project_of("http://argument/", "key") == ("http://argument", "key")
    assert project_of(None, "key") == ("http://environment", "key")
    with pytest.raises(PublishError, match="SUPABASE_KEY"):
        project_of(None, None)
