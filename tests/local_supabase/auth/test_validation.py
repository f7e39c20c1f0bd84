from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.auth.errors import AuthError
from local_supabase.auth.validation import parse_duration, validate_email, validate_phone, validate_pkce


@pytest.mark.parametrize("email", ["ada@tavern.example", "A.B+c@x-y.co.uk", "o'neil@localhost"])
def test_an_address_is_given_in_lower_case(email: str) -> None:
    assert validate_email(email) == email.lower()


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("", "An email address is required"),
        ("a" * 250 + "@x.example", "An email address is too long"),
        ("ada", "Unable to validate email address: invalid format"),
        ("ada@", "Unable to validate email address: invalid format"),
        ("@x.example", "Unable to validate email address: invalid format"),
        ("a b@x.example", "Unable to validate email address: invalid format"),
        ("ada@x..example", "Unable to validate email address: invalid format"),
        ("ada@x.example\n", "Unable to validate email address: invalid format"),
    ],
)
def test_an_invalid_address_is_refused(email: str, message: str) -> None:
    with pytest.raises(AuthError) as refused:
        validate_email(email)
    assert (refused.value.status, refused.value.code, refused.value.message) == (
        400,
        "validation_failed",
        message,
    )


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with suppress(AuthError):
        assert "@" in validate_email(text)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("24h", timedelta(hours=24)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5s", timedelta(seconds=1.5)),
        ("100ms", timedelta(milliseconds=100)),
        ("-1m", timedelta(minutes=-1)),
        ("0", timedelta(0)),
    ],
)
def test_durations_are_gos(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "1", "1d", "h", "1 h", "one hour", "9" * 400 + "h", "1h-"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_duration(text)


def test_a_phone_number_is_stored_as_digits() -> None:
    assert validate_phone("+49 151 1234567") == "491511234567"
    with pytest.raises(AuthError, match="Invalid phone number"):
        validate_phone("0151")


@pytest.mark.parametrize(
    ("method", "challenge"),
    [
        ("", "x" * 43),
        ("s256", ""),
        ("s256", "x" * 42),
        ("s256", "x" * 129),
        ("s256", "ü" * 43),
        ("md5", "x" * 43),
    ],
)
def test_a_wrong_challenge_is_refused(method: str, challenge: str) -> None:
    with pytest.raises(AuthError):
        validate_pkce(method, challenge)


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_a_challenge_of_43_to_128_characters_is_allowed(method: str) -> None:
    for length in (43, 128):
        validate_pkce(method, "x" * length)
    for length in (42, 129):
        with pytest.raises(AuthError, match="between 43 and 128"):
            validate_pkce(method, "x" * length)


def test_a_challenge_and_its_method_belong_together() -> None:
    validate_pkce("", "")
    for method, challenge in (("S256", ""), ("", "x" * 43)):
        with pytest.raises(AuthError, match="requires code_challenge_method and code_challenge"):
            validate_pkce(method, challenge)
