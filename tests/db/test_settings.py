"""Settings: an address and a key that work together, or neither."""

import base64
import json

import pytest

from db.settings import Settings, SettingsError, settings_from

URL = "https://abcdefgh.supabase.co"
KEY = "sb_publishable_0123456789abcdef"


def jwt(role: str) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256'})}.{part({'role': role})}.signature"


def test_nothing_set_means_the_embedded_supabase() -> None:
    assert settings_from({}) is None
    assert settings_from({"SUPABASE_URL": " ", "SUPABASE_KEY": ""}) is None


def test_a_project_and_its_public_key() -> None:
    assert settings_from({"SUPABASE_URL": f" {URL}/ ", "SUPABASE_KEY": KEY}) == Settings(URL, KEY)


def test_the_older_kind_of_public_key() -> None:
    assert settings_from({"SUPABASE_URL": URL, "SUPABASE_KEY": jwt("anon")}) == Settings(URL, jwt("anon"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"SUPABASE_URL": URL}, "SUPABASE_KEY is not"),
        ({"SUPABASE_KEY": KEY}, "SUPABASE_URL is not"),
        ({"SUPABASE_URL": "abcdefgh.supabase.co", "SUPABASE_KEY": KEY}, "not a web address"),
        ({"SUPABASE_URL": "ftp://abcdefgh.supabase.co", "SUPABASE_KEY": KEY}, "not a web address"),
        ({"SUPABASE_URL": f"{URL}/rest/v1", "SUPABASE_KEY": KEY}, "without '/rest/v1'"),
        ({"SUPABASE_URL": URL, "SUPABASE_KEY": "your key here"}, "does not look like a key"),
        ({"SUPABASE_URL": URL, "SUPABASE_KEY": "sb_secret_0123456789abcdef"}, "secret service key"),
        ({"SUPABASE_URL": URL, "SUPABASE_KEY": jwt("service_role")}, "secret service key"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_what_to_do(values: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_from(values)


def test_the_repr_of_the_settings_does_not_hold_the_key() -> None:
    assert KEY not in repr(settings_from({"SUPABASE_URL": URL, "SUPABASE_KEY": KEY}))
