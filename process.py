"""What a server process has once, however it is served: the settings, the database, the live engine.

`app.py` and `asgi.py` both come here, so that the pages and the HTTP API beside them share one of each.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import streamlit as st
from dotenv import dotenv_values
from streamlit.errors import StreamlitSecretNotFoundError

from db.auth import Accounts
from db.clients import Clients
from db.settings import Settings, settings_from
from local_supabase.runtime import ensure_running
from realtime_handlers import EngineConfig, init_realtime_client
from ui import endings
from ui.session import Services

PROJECT: Final = Path(__file__).parent
SETTING_NAMES: Final = ("SUPABASE_URL", "SUPABASE_KEY")

Progress = Callable[[str], None]


class Process:
    """The services of this process, started by whoever needs them first while the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: Services | None = None

    @property
    def started(self) -> bool:
        """Whether nobody has to wait any more."""
        return self._services is not None

    def services(self, progress: Progress | None = None) -> Services:
        """Return the services, starting them if nobody has; `progress` gets messages for who waits.

        Raises `SettingsError` or `LocalSupabaseError`.
        """
        with self._lock:
            if self._services is None:
                self._services = _start(configuration(), progress or _silent)
            return self._services


PROCESS: Final = Process()


def _start(values: Mapping[str, str], progress: Progress) -> Services:
    settings = settings_from(values)
    embedded = settings is None
    if settings is None:
        stack = ensure_running(PROJECT / "supabase", progress=progress)
        settings = Settings(stack.url, stack.anon_key)
    progress("Opening the live connection")
    engine = init_realtime_client(EngineConfig(settings.url, settings.key))
    clients = Clients(settings)
    accounts = Accounts(clients)
    endings.follow(engine, accounts)
    return Services(clients, accounts, engine, embedded)


def configuration() -> dict[str, str]:
    """Read the settings; the environment wins over `.env`, and that over Streamlit's secrets."""
    return {**_secrets(), **_filled(dotenv_values(PROJECT / ".env")), **_filled(os.environ)}


def _secrets() -> dict[str, str]:
    try:
        return {name: str(st.secrets[name]) for name in SETTING_NAMES if name in st.secrets}
    except StreamlitSecretNotFoundError:
        return {}


def _filled(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name in SETTING_NAMES if (value := values.get(name)) is not None}


def _silent(message: str) -> None:
    del message
