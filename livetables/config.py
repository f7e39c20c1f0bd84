"""The address of an engine's Supabase project."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The project's URL (`https://<ref>.supabase.co`) and its anon or publishable key."""

    url: str
    key: str
