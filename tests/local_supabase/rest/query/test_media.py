import pytest

from local_supabase.rest.errors import RestError
from local_supabase.rest.query.media import (
    Format,
    content_kind,
    negotiate,
    negotiate_root,
)


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (None, Format.JSON),
        ("", Format.JSON),
        ("*/*", Format.JSON),
        ("application/json", Format.JSON),
        ("application/json; charset=utf-8", Format.JSON),
        ("text/html, application/json", Format.JSON),
        ("text/csv", Format.CSV),
        ("application/json;q=0.5, text/csv", Format.CSV),
        ("application/vnd.pgrst.object+json", Format.OBJECT),
        ("application/vnd.pgrst.object", Format.OBJECT),
        ("application/vnd.pgrst.object+json;nulls=stripped", Format.OBJECT_STRIPPED),
        ("application/vnd.pgrst.array+json;nulls=stripped", Format.JSON_STRIPPED),
        ("application/vnd.pgrst.array+json", Format.JSON),
    ],
)
def test_the_first_acceptable_type_is_chosen(header: str | None, form: Format) -> None:
    assert negotiate(header) is form


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("text/html", "text/html"),
        ("unknown/unknown, image/png", "unknown/unknown, image/png"),
        ("application/vnd.pgrst.plan", 'application/vnd.pgrst.plan+text; for="application/json"'),
        (
            'application/vnd.pgrst.plan+json; for="text/csv"; options=analyze|verbose',
            'application/vnd.pgrst.plan+json; for="text/csv"; options=analyze|verbose',
        ),
    ],
)
def test_unavailable_media_types_are_named(header: str, named: str) -> None:
    with pytest.raises(RestError) as caught:
        negotiate(header)
    assert (caught.value.status, caught.value.code) == (406, "PGRST107")
    assert caught.value.message == f"None of these media types are available: {named}"


def test_the_root_is_openapi_or_nothing() -> None:
    assert negotiate_root("application/json") is Format.OPENAPI
    with pytest.raises(RestError):
        negotiate_root("text/csv")


def test_a_body_without_a_content_type_is_json() -> None:
    assert content_kind(None) == "application/json"
    assert content_kind("text/csv; charset=utf-8") == "text/csv"
