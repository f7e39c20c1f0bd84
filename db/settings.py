"""The settings of the Supabase project. Wrong ones are refused with a message that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from livetables.auth.jwt import claims_of


class SettingsError(Exception):
    """The settings cannot work; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A Supabase project and its public key."""

    url: str
    key: str = field(repr=False)


def settings_from(values: Mapping[str, str]) -> Settings | None:
    """Read `SUPABASE_URL` and `SUPABASE_KEY`; return None when neither is set, for the embedded Supabase.

    Raises `SettingsError` when they cannot work, or when the key is a secret one.
    """
    url = values.get("SUPABASE_URL", "").strip().rstrip("/")
    key = values.get("SUPABASE_KEY", "").strip()
    if not url and not key:
        return None
    if not url:
        raise SettingsError(
            "SUPABASE_KEY is set but SUPABASE_URL is not. Set both for a hosted project, "
            "or neither for the embedded Supabase."
        )
    _check_url(url)
    if not key:
        raise SettingsError(
            "SUPABASE_URL is set but SUPABASE_KEY is not. Copy the anon or publishable key from "
            "Project Settings > API keys."
        )
    _check_key(key)
    return Settings(url, key)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            f"SUPABASE_URL is {url!r}, which is not a web address. It looks like https://abcdefgh.supabase.co."
        )
    if parts.path or parts.query:
        raise SettingsError(
            f"SUPABASE_URL is {url!r}. Give only the project's address, "
            f"without {parts.path or parts.query!r}."
        )


def _check_key(key: str) -> None:
    if any(character.isspace() for character in key) or len(key) < 20:
        raise SettingsError("SUPABASE_KEY does not look like a key. Copy the anon or publishable key again.")
    if key.startswith("sb_secret_") or claims_of(key).get("role") == "service_role":
        raise SettingsError(
            "SUPABASE_KEY is the project's secret service key, which gives everybody every right. "
            "Use the anon or publishable key here, and replace the secret key if it was ever published."
        )
