"""Small servers in place of the app's processes, and a real nginx in front of them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from deploy.processes import LOOPBACK, free_ports
from tests.support.nginx import missing, nginx_before
from tests.support.wait import wait_for


@dataclass
class Stub:
    """A process that answers every request with its number and what it was sent."""

    number: int
    port: int
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Answer from now on."""

        async def answer(request: Request) -> JSONResponse:
            await request.body()
            return JSONResponse({"process": self.number, "headers": dict(request.headers)})

        async def stream(socket: WebSocket) -> None:
            await socket.accept()
            await socket.send_text(str(self.number))
            await socket.close()

        methods = ["GET", "POST", "PUT", "DELETE"]
        routes = [WebSocketRoute("/_stcore/stream", stream), Route("/{path:path}", answer, methods=methods)]
        config = uvicorn.Config(Starlette(routes=routes), host=LOOPBACK, port=self.port, log_config=None)
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=server.run, name=f"process {self.number}")
        self._thread.start()
        wait_for(lambda: server.started, what=f"process {self.number} to listen")

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = None


@dataclass
class House:
    """Processes, and the nginx in front of them."""

    url: str
    processes: Sequence[Stub] = field(default_factory=list)


@pytest.fixture
def house() -> Iterator[House]:
    """Run three processes behind nginx."""
    if reason := missing():
        pytest.skip(reason)
    stubs = [Stub(number, port) for number, port in enumerate(free_ports(3), start=1)]
    with ExitStack() as opened:
        for stub in stubs:
            stub.start()
            opened.callback(stub.stop)
        yield House(opened.enter_context(nginx_before([stub.address for stub in stubs])), stubs)
