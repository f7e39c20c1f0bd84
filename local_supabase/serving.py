"""What both server processes of the stack share: their command line, their HTTP server and their end."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from local_supabase.background import spawn
from local_supabase.handover import MAX_HEAD_BYTES, Taker
from local_supabase.http_protocol import Connections
from local_supabase.settings import Settings
from local_supabase.stack.cluster import postmaster_pid
from local_supabase.stack.config import load_config
from local_supabase.stack.datadir import DataDir
from local_supabase.websocket_protocol import AbortableWebSocketProtocol

_MAX_FRAME_BYTES = 5_000_000
_OPEN_FILES = 65_536

_log = logging.getLogger("local_supabase.serving")


@dataclass(frozen=True, slots=True)
class Process:
    """What a server process inherits from the supervisor.

    Arguments:
        settings: the stack's addresses, folders and configuration.
        lifeline: the reading end of a pipe that ends when the supervisor does.
        sockets: the inherited sockets by their option's name.
    """

    settings: Settings
    lifeline: int
    sockets: dict[str, socket.socket]


def inherited(program: str, sockets: Sequence[str], arguments: Sequence[str] | None) -> Process:
    """Read a server process's command line, and set up its log and its limits.

    Arguments:
        program: the module that runs.
        sockets: the names of the options for inherited sockets.
        arguments: the command line without the program's name; None takes the process's own.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--project", type=Path, required=True)
    for name in ("lifeline", "port", "db-port", "mailbox-port", *sockets):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--testing", action="store_true")
    options = vars(parser.parse_args(arguments))
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
        force=True,
    )
    allow_many_sockets()
    settings = Settings(
        options["port"],
        options["db_port"],
        options["mailbox_port"],
        options["project"],
        DataDir(options["data_dir"]),
        load_config(options["project"]),
        options["testing"],
    )
    inherited_sockets = {name: socket.socket(fileno=options[name.replace("-", "_")]) for name in sockets}
    return Process(settings, options["lifeline"], inherited_sockets)


async def serve(
    app: ASGIApp,
    process: Process,
    connections: Connections,
    listeners: Sequence[socket.socket] = (),
    taking: socket.socket | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, or until the supervisor ends.

    Arguments:
        app: the application.
        process: what the supervisor gave.
        connections: the limits of connections.
        listeners: the listening sockets.
        taking: the taking end of a channel whose connections are served as well.
    """
    config = uvicorn.Config(
        app,
        http=connections.as_class(),
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        ws=AbortableWebSocketProtocol,
        ws_max_size=_MAX_FRAME_BYTES,
        # As on the hosted server: compressing each frame for each client costs more than it saves.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=round(connections.limits.idle_seconds),
    )
    config.load()
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()
    loop.add_reader(process.lifeline, _on_supervisor_exit, server, process)
    if taking is not None:
        state = server.server_state
        Taker(taking, lambda first: connections.protocol(config, state, {}, None, first)).start()
    enforcing = spawn(connections.enforce(), "limits of connections", _log)
    try:
        await server.serve(sockets=list(listeners))
    finally:
        enforcing.cancel()
        if taking is not None:
            loop.remove_reader(taking)


def _on_supervisor_exit(server: uvicorn.Server, process: Process) -> None:
    """Stop this process and Postgres. On Linux the kernel has already killed both."""
    asyncio.get_running_loop().remove_reader(process.lifeline)
    _log.error("the supervisor is gone; ending")
    server.should_exit = True
    pid = postmaster_pid(process.settings.data_dir.cluster)
    if pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGINT)


def allow_many_sockets() -> None:
    """Raise the soft limit of open files, often 1,024, to 65,536 or to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
