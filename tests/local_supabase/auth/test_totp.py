import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from local_supabase.auth import totp

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(moment: int, code: str) -> None:
    assert totp.code_at(RFC_SECRET, totp.step_at(moment)) == code


@pytest.mark.parametrize(("late", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_one_step_before_and_after_its_own(late: int, counts: bool) -> None:
    moment = 1_800_000_015.0
    step = totp.step_at(moment) - late
    found = totp.matching_step(RFC_SECRET, totp.code_at(RFC_SECRET, step), moment)
    assert found == (step if counts else None)


@pytest.mark.parametrize("wrong", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "0" * 10_000])
def test_what_is_no_code_matches_nothing(wrong: str) -> None:
    assert totp.matching_step(RFC_SECRET, wrong, 59.0) is None


def test_spaces_around_a_code_do_no_harm() -> None:
    assert totp.matching_step(RFC_SECRET, " 287082\n", 59.0) == 1


def test_secrets_are_long_and_differ() -> None:
    one, other = totp.new_secret(), totp.new_secret()
    assert len(base64.b32decode(one)) == 20
    assert one != other


def test_the_address_for_apps_survives_signs_in_names() -> None:
    uri = urlsplit(totp.key_uri(RFC_SECRET, "Tavern: the & only", "ada+new@people.example"))
    values = parse_qs(uri.query)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert uri.path == "/Tavern%3A%20the%20%26%20only:ada%2Bnew@people.example"
    assert values["issuer"] == ["Tavern: the & only"]
    assert values["secret"] == [RFC_SECRET]
    assert (values["digits"], values["period"], values["algorithm"]) == (["6"], ["30"], ["SHA1"])


def test_the_picture_fits_into_the_data_uri_that_clients_make() -> None:
    picture = totp.qr_code(totp.key_uri(RFC_SECRET, "Tavern", "ada@people.example"))
    assert picture.startswith("<svg")
    assert "#" not in picture
