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
