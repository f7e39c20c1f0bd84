"""The Deno process of one function: started, listened to, ended."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from local_supabase.functions.catalog import Function
from local_supabase.functions.errors import BootError
from local_supabase.privileges import child_setup

MEMORY_MB: Final = 256
"""The heap of one worker, as hosted (supabase.com/docs/guides/functions/limits)."""

_BOOT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.01
_LINE_LIMIT: Final = 10_000
_BOOT_MODULE: Final = Path(__file__).with_name("boot.ts")
_OUT_OF_MEMORY: Final = ("heap out of memory", "Fatal JavaScript out of memory")


def find_deno() -> str:
    """Return the path of the Deno binary.

    Raises:
        BootError: the `deno` package is not installed.
    """
    try:
        module = importlib.import_module("deno")
        return cast("str", module.find_deno_bin())
    except (ImportError, FileNotFoundError) as error:
        raise BootError(
            "Functions are run by Deno, which is not installed here. Install it with: pip install 'deno>=2.5'"
        ) from error


class DenoProcess:
    """One running function. It ends with the gateway."""

    def __init__(
        self, function: Function, process: asyncio.subprocess.Process, port: int, log: logging.Logger
    ) -> None:
        self.function = function
        self.url = f"http://127.0.0.1:{port}"
        self.ran_out_of_memory = False
        self._port = port
        self._process = process
        self._log = log
        self._reader = asyncio.create_task(self._copy_output())

    @classmethod
    async def start(
        cls,
        function: Function,
        environment: Mapping[str, str],
        *,
        cache: Path,
        folder: Path,
        log: logging.Logger,
    ) -> DenoProcess:
        """Start the function and wait until it listens.

        Raises:
            BootError: there is no Deno, or the code fails before it serves; the log has the reason.
        """
        deno = find_deno()
        port = _free_port()
        process = await asyncio.create_subprocess_exec(
            deno,
            *_arguments(function, folder=folder, cache=cache),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(environment, cache=cache, port=port),
            cwd=folder,
            limit=_LINE_LIMIT,
            preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
        )
        worker = cls(function, process, port, log)
        try:
            await worker._until_listening()
        except BaseException:
            await worker.stop()
            raise
        return worker

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.returncode is not None

    async def stop(self) -> None:
        """End the process and wait for it."""
        if not self.has_ended:
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def ended(self) -> None:
        """Wait until the process is gone and its last words are read."""
        await self._process.wait()
        await self._reader

    async def _until_listening(self) -> None:
        try:
            async with asyncio.timeout(_BOOT_SECONDS):
                while not await _accepts(self._port):
                    if self.has_ended:
                        raise BootError
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise BootError from error

    async def _copy_output(self) -> None:
        output = cast("asyncio.StreamReader", self._process.stdout)
        while True:
            try:
                line = await output.readuntil(b"\n")
            except asyncio.IncompleteReadError as end:
                if not end.partial:
                    return
                line = end.partial
            except asyncio.LimitOverrunError as overrun:
                line = await output.read(overrun.consumed or _LINE_LIMIT)
            text = line.decode(errors="replace").rstrip()
            self.ran_out_of_memory |= any(mark in text for mark in _OUT_OF_MEMORY)
            if text:
                self._log.info("functions/%s: %s", self.function.name, text)


def _arguments(function: Function, *, folder: Path, cache: Path) -> Sequence[str]:
    # It may read its own code and speak to the network; no files, no programs, no native code.
    readable = f"{folder},{cache},{_BOOT_MODULE.parent}"
    options = [
        "run",
        "--no-prompt",
        "--quiet",
        "--no-lock",
        "--node-modules-dir=none",
        "--allow-net",
        "--allow-env",
        f"--allow-read={readable}",
        f"--v8-flags=--max-old-space-size={MEMORY_MB}",
    ]
    options.append(f"--config={function.config}" if function.config else "--no-config")
    if function.import_map:
        options.append(f"--import-map={function.import_map}")
    return [*options, str(_BOOT_MODULE), function.entrypoint.as_uri()]


def _environment(environment: Mapping[str, str], *, cache: Path, port: int) -> dict[str, str]:
    # Built from nothing: what the gateway was started with is none of a function's business.
    passed = (
        "SSL_CERT_FILE",
        "DENO_CERT",
        "DENO_TLS_CA_STORE",
        "NODE_EXTRA_CA_CERTS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "NPM_CONFIG_REGISTRY",
        "TZ",
    )
    return {
        **{name: os.environ[name] for name in passed if name in os.environ},
        **environment,
        "DENO_DIR": str(cache),
        "HOME": str(cache),
        "DENO_NO_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
        "DENO_SERVE_ADDRESS": f"tcp:127.0.0.1:{port}",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast("int", probe.getsockname()[1])


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
