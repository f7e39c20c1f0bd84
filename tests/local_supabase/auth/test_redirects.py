import pytest

from local_supabase.auth.redirects import allowed, choose
from local_supabase.auth.settings import AuthSettings

SETTINGS = AuthSettings(
    site_url="https://tavern.example",
    redirect_urls=("https://*.preview.example/**", "https://shop.example/done", "tavern://**"),
)


@pytest.mark.parametrize(
    "url",
    [
        "https://tavern.example/welcome?x=1",
        "http://127.0.0.1:8501/",
        "http://[::1]:3000",
        "https://pr-1.preview.example/a/b",
        "https://shop.example/done",
        "https://shop.example/done#part",
        "tavern://sign-in/now",
    ],
)
def test_the_site_loopback_and_listed_urls_are_allowed(url: str) -> None:
    assert allowed(SETTINGS, url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/relative",
        "https://evil.example",
        "https://tavern.example.evil.example",
        "https://tavern.example@evil.example",
        "javascript://tavern.example/%0aalert(1)",
        "http://2130706433/",
        "http://10.0.0.1/",
        "https://a.b.preview.example/",
        "https://shop.example/done/more",
        "https://tavern.example\r\nX: y",
        "https://[",
        "http://tavern.example/",
        "https://tavern.example:8443/",
        "\thttps://2130706433/",
    ],
)
def test_anything_else_is_not(url: str) -> None:
    assert not allowed(SETTINGS, url)


def test_the_site_on_localhost_may_have_any_port() -> None:
    local = AuthSettings(site_url="http://localhost:8501")
    assert allowed(local, "http://localhost:3000/callback")
    assert not allowed(local, "https://localhost:3000/callback")


def test_the_first_allowed_one_is_chosen_else_the_site() -> None:
    assert (
        choose(SETTINGS, "https://tavern.example/a", "https://tavern.example/b") == "https://tavern.example/a"
    )
    assert choose(SETTINGS, "https://evil.example", "https://tavern.example/b") == "https://tavern.example/b"
    assert choose(SETTINGS, None, None) == "https://tavern.example"


def test_a_long_address_is_not_tried_with_every_wildcard() -> None:
    settings = AuthSettings(site_url="https://tavern.example", redirect_urls=("https://**a**b**c**d",))
    assert allowed(settings, "https://xaxbxcxd")
    assert not allowed(settings, "https://" + "abc" * 100_000)
