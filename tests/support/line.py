"""A slow line: what a tab and its server say to each other is held for as long as a test wants."""

import asyncio

from playwright.async_api import Page, WebSocketRoute
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.support.browser import Window, settled


class Line:
    """The websocket between a page and its server.

    While it is `frozen`, nothing gets through. While it is `deaf`, the page hears nothing from the server.
    """

    def __init__(self) -> None:
        self.frozen = False
        self.deaf = False
        self._held: list[tuple[WebSocketRoute, str | bytes]] = []
        self._new_address = asyncio.Event()

    async def open_tab(self, window: Window, path: str) -> Page:
        """Open the app in another tab of the window, on this line."""
        page = await window.context.new_page()
        await page.route_web_socket("**/_stcore/stream", self._join)
        await page.goto(window.url + path)
        await settled(page)
        return page

    async def holds_an_address(self) -> None:
        """Wait until the server has sent a new address that the page has not heard of."""
        await asyncio.wait_for(self._new_address.wait(), 30)

    def thaw(self) -> None:
        """Let through what was held, in order."""
        self.frozen = self.deaf = False
        for end, message in self._held:
            end.send(message)
        self._held.clear()
        self._new_address.clear()

    def _join(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        page.on_message(lambda message: self._pass(server, message, held=self.frozen))
        server.on_message(lambda message: self._tell(page, message))

    def _tell(self, page: WebSocketRoute, message: str | bytes) -> None:
        held = self.frozen or self.deaf
        self._pass(page, message, held=held)
        if held and isinstance(message, bytes):
            told = ForwardMsg.FromString(message)
            if told.HasField("page_info_changed"):
                self._new_address.set()

    def _pass(self, end: WebSocketRoute, message: str | bytes, *, held: bool) -> None:
        if held:
            self._held.append((end, message))
        else:
            end.send(message)
