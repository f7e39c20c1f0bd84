"""The services that a server process has once: settings, database clients, live engine.

`app.py` and `asgi.py` both use them from here, so that the pages and the HTTP API share one of each.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import streamlit as st
from dotenv import dotenv_values
from streamlit.errors import StreamlitSecretNotFoundError

from db.auth.accounts import Accounts
from db.background import record_faults_with
from db.clients import Clients
from db.settings import Settings, settings_from
from livetables.faults import FAULTS
from local_supabase import ensure_running
from realtime_handlers import EngineConfig, init_realtime_client
from ui.base import pictures
from ui.base.session import Services
from ui.events import offers
from ui.shell import identity

PROJECT: Final = Path(__file__).parent
SETTING_NAMES: Final = ("SUPABASE_URL", "SUPABASE_KEY", "TAVERN_METRICS_TOKEN")

_COLLECTOR_THRESHOLDS: Final = (10_000, 10, 10)

Progress = Callable[[str], None]
"""Shows the user a message while something starts."""


class Process:
    """The services of this process. The first caller starts them; others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: Services | None = None

    @property
    def started(self) -> bool:
        """Whether the services are started, so that nobody has to wait."""
        return self._services is not None

    def services(self, progress: Progress | None = None) -> Services:
        """Return the services, starting them if necessary. `progress` receives messages while they start.

        Raises `SettingsError` or `LocalSupabaseError`.
        """
        with self._lock:
            if self._services is None:
                self._services = _start(configuration(), progress or _silent)
            return self._services


PROCESS: Final = Process()


def _start(values: Mapping[str, str], progress: Progress) -> Services:
    record_faults_with(FAULTS.record)
    settings = settings_from(values)
    embedded = settings is None
    if settings is None:
        stack = ensure_running(PROJECT / "supabase", progress=progress)
        # In the terminal and nowhere else, because whoever reads the mailbox can enter every account.
        print(f"Mail of the embedded Supabase: {stack.mailbox_url}", flush=True)  # noqa: T201
        settings = Settings(stack.url, stack.anon_key)
    progress("Opening the live connection")
    pictures.kept_in(settings.url)
    engine = init_realtime_client(EngineConfig(settings.url, settings.key))
    clients = Clients(settings)
    accounts = Accounts(clients)
    identity.follow_ended_sessions(engine, accounts)
    offers.pass_on_unconfirmed(engine, clients)
    _spare_the_collector()
    return Services(clients, accounts, engine, embedded)


def _spare_the_collector() -> None:
    """Leave what was loaded at the start out of garbage collections, and collect what is new less often.

    Each run of a script makes thousands of objects that are gone at its end. With Python's thresholds their
    collections took a fifth of the processor time of opening a page.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)


def configuration() -> dict[str, str]:
    """Read the settings. The environment overrides `.env`, which overrides Streamlit's secrets."""
    return {**_secrets(), **_settings_in(dotenv_values(PROJECT / ".env")), **_settings_in(os.environ)}


def _secrets() -> dict[str, str]:
    try:
        return {name: str(st.secrets[name]) for name in SETTING_NAMES if name in st.secrets}
    except StreamlitSecretNotFoundError:
        return {}


def _settings_in(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name in SETTING_NAMES if (value := values.get(name)) is not None}


def _silent(message: str) -> None:
    del message
