"""`python -m deploy run` starts several processes behind nginx, `show` prints nginx's configuration."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from typing import NoReturn

from deploy.processes import LOOPBACK, run
from deploy.proxy import MISSING, find_nginx, tavern_conf

_PORT = 8501


def main() -> None:
    """Do what the arguments say."""
    arguments = _parser().parse_args()
    if arguments.command == "show":
        print(tavern_conf(arguments.process, listen=arguments.listen, server_name=arguments.name), end="")  # noqa: T201
        return
    nginx = find_nginx()
    if nginx is None:
        _fail(MISSING)
    address, port = arguments.address, arguments.port
    if not _is_free(address, port):
        _fail(f"Port {port} is taken. Name another one: make run WORKERS={arguments.workers} PORT={port + 1}")
    shown = "localhost" if address in (LOOPBACK, "0.0.0.0", "") else address  # noqa: S104 - only compared
    well = asyncio.run(run(arguments.workers, f"{address}:{port}", f"http://{shown}:{port}", nginx))
    sys.exit(0 if well else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="start several processes behind nginx")
    running.add_argument("--workers", type=_count, default=2, help="the number of the app's processes")
    running.add_argument("--address", default=LOOPBACK, help="the address that nginx listens on")
    running.add_argument("--port", type=int, default=_PORT, help="the port that nginx listens on")
    show = commands.add_parser("show", help="print the configuration for nginx's http block")
    show.add_argument("process", nargs="+", help="the address of a process, such as 127.0.0.1:8511")
    show.add_argument("--listen", default="80", help="as nginx's directive takes it")
    show.add_argument("--name", default="_", help="the name of the site")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes from 1 to 64")
    return int(text)


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((address, port))
        except OSError:
            return False
    return True


def _fail(reason: str) -> NoReturn:
    sys.exit(reason)


if __name__ == "__main__":
    main()
