"""The server: the app and, beside it, the HTTP API and people's pictures.

Run `streamlit run asgi.py` or `uvicorn asgi:app`.

Streamlit Cloud runs `app.py`, which has neither.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import streamlit as st
from starlette.middleware import Middleware

from api.agent_registry import AgentRegistry
from api.app import create_api, mount_api
from api.backend import Backend
from api.demo import docs_checker
from api.errors import ServiceUnavailableError
from api.pictures import EVENTS, Pictures
from api.previews import EventPreviews
from api.settings import ApiSettings
from demo_agent.agent import BACKGROUND
from frontend.files import SOURCE
from frontend.middleware import Additions, Frontend
from frontend.page import Colors, Look
from frontend.search import make_search
from local_supabase.errors import LocalSupabaseError
from process import PROCESS, PROJECT, configuration
from request_guard import RequestGuard
from ui.base import folding, layout, pictures

_log: Final = logging.getLogger("tavern")


def _backend() -> Backend:
    try:
        services = PROCESS.services()
    except LocalSupabaseError as error:
        _log.warning("Tavern could not start: %s", error)
        raise ServiceUnavailableError from error
    return Backend(services.clients, services.engine)


def _show_requests() -> None:
    """Print the API's log with times. Streamlit and uvicorn configure only their own loggers."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    log = logging.getLogger("tavern.api")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


_show_requests()
pictures.send_from_here()
_settings: Final = ApiSettings.read({**os.environ, **configuration()})
api = create_api(_backend, _settings, AgentRegistry([docs_checker(PROJECT)]), BACKGROUND)


@asynccontextmanager
async def _lifespan(_app: st.App) -> AsyncIterator[None]:
    # Starlette does not run the lifespan of a mounted application.
    async with api.router.lifespan_context(api):
        yield


_BASE_PATH: Final = str(st.get_option("server.baseUrlPath") or "").strip("/")


def _colors(theme: str) -> Colors:
    background, text = (st.get_option(f"theme.{theme}.{name}") for name in ("backgroundColor", "textColor"))
    return Colors(str(background), str(text))


_SEARCH: Final = make_search(SOURCE / "static" / "js", folding.plain_characters())
if _SEARCH is not None:
    folding.select_boxes_fold()
_LOOK: Final = Look("Tavern", _colors("light"), _colors("dark"), layout.STYLE.read_text(encoding="utf-8"))
layout.style_comes_with_page()

app = st.App(
    PROJECT / "app.py",
    routes=[
        *mount_api(api, _BASE_PATH),
        *Pictures(_backend, pictures.PATH).routes(_BASE_PATH),
        *Pictures(_backend, pictures.EVENTS_PATH, EVENTS).routes(_BASE_PATH),
    ],
    middleware=[
        Middleware(RequestGuard),
        Middleware(
            Frontend,
            look=_LOOK,
            additions=Additions(_SEARCH, EventPreviews(_backend)),
            base_path=_BASE_PATH,
        ),
    ],
    lifespan=_lifespan,
)
