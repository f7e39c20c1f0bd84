"""The two server processes of a stack, and the sockets that outlive them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from local_supabase.handover import channel
from local_supabase.service_health import ServiceHealth
from local_supabase.settings import HOST, Settings
from local_supabase.stack.service_process import Lifeline, ServiceProcess

_REALTIME = "realtime"
_START_SECONDS = 60.0
_ANSWER_SECONDS = 5.0


class Services:
    """The gateway, and Realtime beside it. Only the supervisor's main thread may use them.

    Arguments:
        logs: the folder of their logs.
        listener: the gateway's listening socket, which `close` closes.
        mailbox_listener: likewise, for the mailbox.
    """

    def __init__(self, logs: Path, listener: socket.socket, mailbox_listener: socket.socket) -> None:
        self._lifeline = Lifeline()
        # The gateway hands connections over to Realtime through this pair.
        self.giving, taking = channel()
        self._sockets = (listener, mailbox_listener, self.giving, taking)
        self.port: int = listener.getsockname()[1]
        self.mailbox_port: int = mailbox_listener.getsockname()[1]
        self.gateway = ServiceProcess(
            "local_supabase.gateway",
            logs / "gateway.log",
            self._lifeline,
            {"listener": listener, "mailbox-listener": mailbox_listener, "giving": self.giving},
        )
        self.realtime = ServiceProcess(
            "local_supabase.realtime_process", logs / "realtime.log", self._lifeline, {"taking": taking}
        )
        self._started: list[ServiceProcess] = []

    def start(self, settings: Settings) -> None:
        """Start the processes, without waiting until they serve."""
        is_off = _REALTIME in settings.config.switched_off
        for process in (self.gateway, *(() if is_off else (self.realtime,))):
            process.start(settings)
            self._started.append(process)

    def __iter__(self) -> Iterator[ServiceProcess]:
        """Return the processes that were started."""
        return iter(self._started)

    def wait_ready(self) -> None:
        """Wait until all services answer, at most 60 seconds.

        Raises:
            StartFailedError: a process ended or took too long. The text has the end of its log.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not self._answer():
            failed = next((process for process in self if process.has_ended()), None)
            if failed is None and time.monotonic() > deadline:
                failed = self.gateway
            if failed is not None:
                raise failed.start_failure()
            time.sleep(0.02)

    def _answer(self) -> bool:
        try:
            # The socket already listens while the gateway starts, so a connection waits instead of failing.
            url = f"http://{HOST}:{self.port}/health"
            response = httpx.get(url, timeout=_ANSWER_SECONDS, trust_env=False)
        except httpx.HTTPError:
            return False
        return response.is_success and ServiceHealth.SILENT not in response.json()["services"].values()

    def close(self) -> None:
        """Stop the processes and free the ports."""
        for process in self:
            process.stop()
        for end in self._sockets:
            end.close()
        self._lifeline.close()
