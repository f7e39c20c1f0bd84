"""Frames of both versions of the protocol."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.realtime.framing import (
    ClientMessage,
    Encoding,
    FrameError,
    NotUnicodeError,
    UserBroadcast,
    Version,
    encode_push,
    encode_reply,
    encode_user_broadcast,
    parse_binary,
    parse_text,
)


def test_a_message_of_version_1_is_an_object() -> None:
    text = '{"topic": "realtime:a", "event": "phx_join", "payload": {"x": 1}, "ref": "2", "join_ref": "1"}'
    assert parse_text(Version.V1, text) == ClientMessage("1", "2", "realtime:a", "phx_join", {"x": 1})


def test_a_message_of_version_1_needs_no_references() -> None:
    assert parse_text(Version.V1, '{"topic": "t", "event": "e"}') == ClientMessage(None, None, "t", "e", None)


def test_a_message_of_version_2_is_an_array() -> None:
    text = '["1", 2, "realtime:a", "phx_join", {}]'
    assert parse_text(Version.V2, text) == ClientMessage("1", "2", "realtime:a", "phx_join", {})


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "1",
        "null",
        "[]",
        "{}",
        '{"topic": 1, "event": "e"}',
        '["1", "2", "t"]',
        '[[], "2", "t", "e", {}]',
    ],
)
def test_what_is_not_a_message_is_an_error(version: Version, text: str) -> None:
    with pytest.raises(FrameError):
        parse_text(version, text)


def test_a_client_of_version_1_is_never_sent_a_join_ref() -> None:
    push = encode_push(Version.V1, join_ref="1", topic="t", event="e", payload={"a": None})
    assert json.loads(push) == {"topic": "t", "event": "e", "payload": {"a": None}, "ref": None}


def test_a_reply_names_what_it_answers() -> None:
    reply = encode_reply(Version.V2, join_ref="1", ref="2", topic="t", status="ok", response={})
    assert json.loads(reply) == ["1", "2", "t", "phx_reply", {"status": "ok", "response": {}}]


def test_a_user_broadcast_push_is_read() -> None:
    frame = bytes([3, 1, 2, 10, 5, 2, 1]) + b"1" + b"22" + b"realtime:a" + b"hello" + b"{}" + b'{"n":1}'
    broadcast = UserBroadcast("hello", Encoding.JSON, b'{"n":1}', b"{}")
    assert parse_binary(frame) == ClientMessage("1", "22", "realtime:a", "broadcast", broadcast)


def test_a_binary_push_is_read() -> None:
    frame = bytes([0, 0, 1, 1, 1]) + b"1te" + b"\xff"
    assert parse_binary(frame) == ClientMessage(None, "1", "t", "e", b"\xff")


@pytest.mark.parametrize(
    "frame", [b"", b"\x03", b"\x07abc", bytes([3, 9, 0, 0, 0, 0, 0]), bytes([3] + [0] * 5 + [7])]
)
def test_a_binary_frame_that_is_cut_short_or_unknown_is_an_error(frame: bytes) -> None:
    with pytest.raises(FrameError):
        parse_binary(frame)


def test_a_user_broadcast_is_written() -> None:
    broadcast = UserBroadcast("é", Encoding.BINARY, b"\x00\x01", b"{}")
    assert encode_user_broadcast("t", broadcast) == bytes([4, 1, 2, 2, 0]) + "té".encode() + b"{}\x00\x01"


def test_a_header_longer_than_its_size_field_can_hold_is_an_error() -> None:
    with pytest.raises(FrameError):
        encode_user_broadcast("t", UserBroadcast("e" * 256, Encoding.JSON, b"1"))


@given(st.binary(max_size=300))
def test_no_bytes_break_the_parser(frame: bytes) -> None:
    with contextlib.suppress(FrameError):
        assert isinstance(parse_binary(frame), ClientMessage)


@given(st.sampled_from(Version), st.text(max_size=100) | st.binary(max_size=100))
def test_no_text_breaks_the_parser(version: Version, text: str | bytes) -> None:
    with contextlib.suppress(FrameError):
        assert isinstance(parse_text(version, text), ClientMessage)


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (
            Version.V1,
            r'{"topic": "realtime:a", "event": "phx_join", "payload": "\ud800", "ref": "2", "join_ref": "1"}',
        ),
        (Version.V2, r'["1", "2", "realtime:a", "phx_join", {"\udfff": 1}]'),
        (Version.V2, rb'["1", "2", "realtime:a", "phx_join", "\uDC00\uD800"]'),
    ],
)
def test_half_of_a_surrogate_pair_is_an_error_that_says_what_to_answer(
    version: Version, text: str | bytes
) -> None:
    with pytest.raises(NotUnicodeError) as refused:
        parse_text(version, text)
    assert refused.value.message == ClientMessage("1", "2", "realtime:a", "phx_join", None)


@pytest.mark.parametrize("container", ["[]", "{}"])
def test_a_message_of_very_many_arrays_or_objects_is_not_built(container: str) -> None:
    payload = ",".join([container] * 200_001)
    with pytest.raises(FrameError, match="too many"):
        parse_text(Version.V1, f'{{"topic": "t", "event": "e", "payload": [{payload}]}}')
    text = parse_text(Version.V1, '{"topic": "t", "event": "e", "payload": "%s"}' % ("[" * 100_000))
    assert text.payload == "[" * 100_000
