"""Rates limit each caller, and each address that sends invalid tokens."""

from collections.abc import Iterator

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.api.serving import Served, WaitingAgent, calling, served, token_of
from tests.support.people import Person

FEW = {"API_REQUESTS": "6/hour", "API_RUNS": "2/hour", "API_REFUSALS": "3/hour"}


@pytest.fixture
def strict(stack: StackInfo) -> Iterator[Served]:
    waiting = WaitingAgent()
    waiting.released.set()
    with served(stack.url, stack.anon_key, agents=(waiting.agent(),), rates=FEW) as api:
        yield api


def is_refused(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    assert answer.json()["title"] == "Too Many Requests"
    return True


def test_a_flood_is_refused_for_its_caller_only(strict: Served, ann: Person, bob: Person) -> None:
    with calling(strict.url, token_of(ann)) as client:
        answers = [client.get("/agents/runs") for _ in range(8)]
    assert [is_refused(answer) for answer in answers] == [False] * 6 + [True] * 2
    with calling(strict.url, token_of(bob)) as client:
        assert client.get("/agents/runs").status_code == 200


def test_started_runs_have_their_own_limit(strict: Served, ann: Person) -> None:
    with calling(strict.url, token_of(ann)) as client:
        answers = [client.post("/agents/run", json={"agent": "waiting"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert len(client.get("/agents/runs?agent=waiting&limit=5").json()["runs"]) >= 2


def test_guessing_tokens_is_stopped_before_supabase_is_asked(strict: Served, ann: Person) -> None:
    wrong = token_of(ann)[:-4] + "abcd"
    with calling(strict.url, wrong) as client, calling(strict.url, token_of(ann)) as known:
        assert known.get("/agents/runs").status_code == 200
        answers = [client.get("/agents/runs") for _ in range(5)]
        assert [is_refused(answer) for answer in answers] == [False] * 3 + [True] * 2
        # A caller at the same address whose token is cached is not affected.
        assert known.get("/agents/runs").status_code == 200
