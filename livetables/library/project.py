"""Which Supabase project an app uses: the one that its settings name, or an embedded one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from livetables.config import EngineConfig
from livetables.errors import ProjectError

URL: Final = "SUPABASE_URL"
KEYS: Final = ("SUPABASE_KEY", "SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY")
"""The names of the setting with the project's public key; the first that is set counts."""

_NO_PROJECT: Final = (
    f"No Supabase project is named. Set {URL} and {KEYS[0]} in the environment or .streamlit/secrets.toml, "
    'or name the project folder, which then runs on the embedded Supabase: live.connect("supabase").'
)
_NOT_EMBEDDED: Final = (
    "Running a project folder needs the embedded Supabase: pip install 'streamlit-livetables[embedded]'. "
    f"Or set {URL} and {KEYS[0]} to use a project of yours."
)


def settings() -> Mapping[str, str]:
    """Return the settings that name a project: of the environment, else of Streamlit's secrets."""
    names = (URL, *KEYS)
    return {**_secrets(names), **{name: value for name in names if (value := os.environ.get(name))}}


def _secrets(names: tuple[str, ...]) -> dict[str, str]:
    try:
        return {name: str(st.secrets[name]) for name in names if name in st.secrets}
    except StreamlitSecretNotFoundError:
        return {}


def named(values: Mapping[str, str], url: str | None, key: str | None) -> EngineConfig | None:
    """Return the project that arguments or settings name, None if neither names one.

    Raises `ProjectError` if one of the address and the key is missing or wrong.
    """
    address = url or values.get(URL)
    public_key = key or next((values[name] for name in KEYS if name in values), None)
    if address is None:
        return None
    if not address.startswith(("http://", "https://")):
        raise ProjectError(f"{address!r} is no address. Copy the project's URL, https://<ref>.supabase.co")
    if public_key is None:
        raise ProjectError(f"{URL} is set and {KEYS[0]} is not. Copy the project's anon or publishable key.")
    if public_key.startswith("sb_secret_"):
        raise ProjectError(
            f"{KEYS[0]} is a secret key, which ignores all policies. Take the anon or publishable key."
        )
    return EngineConfig(address.rstrip("/"), public_key)


def folder_of(folder: str | Path, script: str | None) -> Path:
    """Return a project folder as it is named beside the app's script, or in the working directory.

    Raises `ProjectError` if it is in neither.
    """
    beside = [Path(script).resolve().parent] if script else []
    places = [place / folder for place in (*beside, Path.cwd())]
    found = next((place.resolve() for place in places if (place / "migrations").is_dir()), None)
    if found is None:
        raise ProjectError(
            f"There is no folder {places[0] / 'migrations'}. Name the folder that has migrations/."
        )
    return found


def embedded(folder: Path) -> EngineConfig:
    """Start the embedded Supabase of a folder, or join a running one.

    Raises `ProjectError` if it is not installed or cannot be started.
    """
    try:
        local_supabase = import_module("local_supabase")
    except ImportError as error:
        raise ProjectError(_NOT_EMBEDDED) from error
    try:
        stack = local_supabase.ensure_running(folder)
    except local_supabase.LocalSupabaseError as error:
        raise ProjectError(str(error)) from error
    return EngineConfig(stack.url, stack.anon_key)


def no_project() -> ProjectError:
    """Return the error for an app that names no project at all."""
    return ProjectError(_NO_PROJECT)
