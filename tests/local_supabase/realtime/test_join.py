"""The payload of a join."""

import uuid

import pytest

from local_supabase.realtime.join import FilterSize, JoinRequest, filter_size, read_join, reply_to_join


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
def test_missing_and_malformed_options_have_their_defaults(payload: object) -> None:
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


def test_the_size_of_filters_counts_conditions_values_and_columns() -> None:
    changes = [
        {"table": "t", "filter": "a=eq.1,b=in.(1,2)"},
        {"table": "t", "select": ["ab", "c"]},
        {"table": "t", "filter": 7, "select": "ab"},
        "text",
    ]
    request = read_join({"config": {"postgres_changes": changes}})
    assert filter_size(request) == FilterSize(terms=5, length=len("a=eq.1,b=in.(1,2)") + 3)
