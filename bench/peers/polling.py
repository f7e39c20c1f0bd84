"""Plain Streamlit: every tab asks once a second. What is posted to `/say` joins the messages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers.messages import MESSAGES


async def _say(request: Request) -> Response:
    MESSAGES.append((await request.body()).decode())
    return Response()


app = st.App(Path(__file__).parent / "polling_page.py", routes=[Route("/say", _say, methods=["POST"])])
