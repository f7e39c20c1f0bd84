"""The settings of the API. The defaults suit a few hundred people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from limits import RateLimitItem, parse

from db.settings import SettingsError

LARGEST_BODY: Final = 64 * 1024
"""Bytes. The largest thing that callers send is the metadata of a run, of which the schema takes 20 kB."""
METRICS_TOKEN: Final = "TAVERN_METRICS_TOKEN"  # noqa: S105 - the name of the setting
_SHORTEST_TOKEN: Final = 20


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The rates for each caller: requests, started runs, and (by address) refused tokens.

    Who has the `metrics_token` may read the metrics; without one, nobody.
    """

    requests: RateLimitItem
    runs: RateLimitItem
    refusals: RateLimitItem
    largest_body: int = LARGEST_BODY
    metrics_token: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read the settings. Raises `SettingsError` for an invalid rate, or a token that can be guessed."""
        return cls(
            _rate(values, "API_REQUESTS", "240/minute"),
            _rate(values, "API_RUNS", "20/minute"),
            _rate(values, "API_REFUSALS", "60/minute"),
            metrics_token=_token(values),
        )


def _token(values: Mapping[str, str]) -> str | None:
    token = values.get(METRICS_TOKEN, "").strip()
    if token and (len(token) < _SHORTEST_TOKEN or not token.isascii() or " " in token):
        raise SettingsError(
            f"{METRICS_TOKEN} can be guessed, or cannot be sent. Take {_SHORTEST_TOKEN} or more random "
            "letters and digits, such as those that `openssl rand -hex 24` prints."
        )
    return token or None


def _rate(values: Mapping[str, str], name: str, default: str) -> RateLimitItem:
    text = values.get(name, "").strip() or default
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}, which is no rate. It looks like {default}.") from error
