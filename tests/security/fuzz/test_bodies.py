"""Every body of Auth and Storage, with values that hurt."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local_supabase.auth import test_fuzz as auth_fuzz
from tests.local_supabase.storage import test_fuzz as storage_fuzz
from tests.security.fuzz.pace import Pace
from tests.security.fuzz.values import anything, value
from tests.support.people import PASSWORD, Person

auth_bodies = st.dictionaries(st.sampled_from(auth_fuzz.FIELDS), value | anything, max_size=6)
storage_bodies = st.dictionaries(st.sampled_from(storage_fuzz.FIELDS), value | anything, max_size=6)


@pytest.fixture(scope="module")
def pace(http: httpx.Client, person: Person) -> Pace:
    """A sign-in is the measure, because many requests of Auth hash a password."""
    credentials = {"email": person.email, "password": PASSWORD}
    return Pace(lambda: http.post("/auth/v1/token?grant_type=password", json=credentials))


def is_clean(answer: httpx.Response) -> bool:
    """Whether the answer is a success, or an error that says what is wrong."""
    if answer.status_code >= 500:
        return answer.status_code == 501
    return answer.status_code < 400 or "Traceback" not in answer.text


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(auth_fuzz.PATHS), body=auth_bodies)
def test_every_field_of_auth(http: httpx.Client, pace: Pace, path: str, body: object) -> None:
    content = json.dumps(body).encode()
    answer = pace.keep(lambda: http.post(f"/auth/v1{path}", content=content))
    assert is_clean(answer), answer.text


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(storage_fuzz.PATHS), body=storage_bodies)
def test_every_field_of_storage(http: httpx.Client, pace: Pace, path: tuple[str, str], body: object) -> None:
    content = json.dumps(body).encode()
    method, address = path
    answer = pace.keep(lambda: http.request(method, f"/storage/v1{address}", content=content))
    assert is_clean(answer), answer.text
