"""A bare websocket server that sends what it is posted to everybody: the floor for live updates in Python."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

_open: set[WebSocket] = set()


async def _stream(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol="streamlit")
    _open.add(websocket)
    try:
        while True:
            await websocket.receive_bytes()
    except WebSocketDisconnect:
        _open.discard(websocket)


async def _say(request: Request) -> Response:
    body = await request.body()
    for websocket in list(_open):
        await websocket.send_bytes(body)
    return Response()


server = Starlette(routes=[WebSocketRoute("/_stcore/stream", _stream), Route("/say", _say, methods=["POST"])])
