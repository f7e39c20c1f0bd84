"""The settings of the API, from environment variables. The defaults suit a few hundred people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from limits import RateLimitItem, parse

from db.settings import SettingsError

LARGEST_BODY: Final = 64 * 1024
"""Bytes. The largest thing that callers send is the metadata of a run, of which the schema takes 20 kB."""


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The rates for each caller: requests, started runs, and (by address) refused tokens."""

    requests: RateLimitItem
    runs: RateLimitItem
    refusals: RateLimitItem
    largest_body: int = LARGEST_BODY

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read the settings. Raises `SettingsError` for an invalid rate."""
        return cls(
            _rate(values, "API_REQUESTS", "240/minute"),
            _rate(values, "API_RUNS", "20/minute"),
            _rate(values, "API_REFUSALS", "60/minute"),
        )


def _rate(values: Mapping[str, str], name: str, default: str) -> RateLimitItem:
    text = values.get(name, "").strip() or default
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}, which is no rate. It looks like {default}.") from error
