"""The settings of the API."""

import pytest
from limits import parse

from api.settings import ApiSettings
from db.settings import SettingsError


def test_an_invalid_rate_is_refused_and_named() -> None:
    with pytest.raises(SettingsError, match="API_RUNS is 'often', which is no rate"):
        ApiSettings.read({"API_RUNS": "often"})


def test_rates_come_from_the_environment_or_have_defaults() -> None:
    settings = ApiSettings.read({"API_REQUESTS": " 5/second ", "API_REFUSALS": ""})
    assert settings.requests == parse("5/second")
    assert (settings.runs, settings.refusals) == (parse("20/minute"), parse("60/minute"))


@pytest.mark.parametrize("token", ["short", "x" * 19, "twenty or more with spaces", "zwanzig-und-mehr-äöüß"])
def test_a_token_for_metrics_that_can_be_guessed_or_not_sent_is_refused(token: str) -> None:
    with pytest.raises(SettingsError, match="TAVERN_METRICS_TOKEN can be guessed, or cannot be sent"):
        ApiSettings.read({"TAVERN_METRICS_TOKEN": token})


def test_the_token_for_metrics_is_optional_and_not_shown() -> None:
    settings = ApiSettings.read({"TAVERN_METRICS_TOKEN": f" {'x' * 20}\n"})
    assert settings.metrics_token == "x" * 20
    assert "xxx" not in repr(settings)
    assert ApiSettings.read({"TAVERN_METRICS_TOKEN": " "}).metrics_token is None
