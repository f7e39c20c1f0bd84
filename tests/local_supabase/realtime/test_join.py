"""The payload of a join."""

import uuid

import pytest

from local_supabase.realtime.join import JoinRequest, read_join, reply_to_join


def test_everything_is_read() -> None:
    change = {"event": "*", "schema": "public"}
    request = read_join(
        {
            "config": {
                "broadcast": {"ack": True, "self": "true", "replication_ready": True, "replay": {"since": 1}},
                "presence": {"key": "ada", "enabled": "true"},
                "private": "true",
                "postgres_changes": [change, None],
            },
            "access_token": "a.b.c",
        }
    )
    assert request == JoinRequest(
        private=True,
        ack=True,
        self_broadcast=True,
        replication_ready=True,
        replay={"since": 1},
        presence_enabled=True,
        presence_key="ada",
        postgres_changes=(change,),
        access_token="a.b.c",
    )


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"config": None}, {"config": {"broadcast": None}}])
def test_what_is_missing_or_odd_has_its_default(payload: object) -> None:
    request = read_join(payload)
    assert uuid.UUID(request.presence_key).version == 1
    assert not (request.private)
    assert not (request.ack)
    assert not (request.self_broadcast)
    assert not (request.presence_enabled)
    assert (request.postgres_changes, request.access_token, request.replay) == ((), None, None)


def test_the_older_name_of_the_token_counts() -> None:
    assert read_join({"user_token": "t"}).access_token == "t"
    assert read_join({"user_token": "t", "access_token": "a"}).access_token == "a"


def test_the_reply_adds_ids_and_nothing_else() -> None:
    request = read_join({"config": {"postgres_changes": [{"a": 1}, {"b": 2}]}})
    assert reply_to_join(request, [5, 6]) == {"postgres_changes": [{"a": 1, "id": 5}, {"b": 2, "id": 6}]}
