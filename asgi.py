"""The whole server: the app and, beside it, the HTTP API. `streamlit run asgi.py`, or `uvicorn asgi:app`.

Streamlit Cloud runs `app.py`, which has everything but the API.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from api.app import create_api, mounted
from api.backend import Backend
from api.crew import Crew
from api.demo import docs_checker
from api.errors import Away
from api.settings import ApiSettings
from demo_agent.agent import BACKGROUND
from local_supabase.errors import LocalSupabaseError
from process import PROCESS, PROJECT

_log = logging.getLogger("tavern")


def _backend() -> Backend:
    try:
        services = PROCESS.services()
    except LocalSupabaseError as error:
        _log.warning("Tavern could not start: %s", error)
        raise Away from error
    return Backend(services.clients, services.engine)


def _show_requests() -> None:
    """Print the API's log with its times; neither Streamlit nor uvicorn print those of others."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    log = logging.getLogger("tavern.api")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


_show_requests()
api = create_api(_backend, ApiSettings.read(os.environ), Crew([docs_checker(PROJECT)]), BACKGROUND)


@asynccontextmanager
async def _lifespan(_app: st.App) -> AsyncIterator[None]:
    # A mounted application is not told when the server starts and stops.
    async with api.router.lifespan_context(api):
        yield


app = st.App(PROJECT / "app.py", routes=[mounted(api)], lifespan=_lifespan)
