"""The Deno process of one function: its start, its output and its end."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from local_supabase.background import start_task
from local_supabase.functions.catalog import Function
from local_supabase.functions.errors import BootError
from local_supabase.stack.privileges import child_setup

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
    """One running function. It ends with the gateway.

    It listens on a Unix socket in a folder that only the gateway's user can enter. On a port, other users
    of the machine could call it past the gateway's checks, and take the port before it to get the calls.
    """

    def __init__(
        self,
        function: Function,
        process: asyncio.subprocess.Process,
        folder: tempfile.TemporaryDirectory[str],
        log: logging.Logger,
    ) -> None:
        self.function = function
        self.socket = _socket(folder)
        self.ran_out_of_memory = False
        self._folder = folder
        self._process = process
        self._log = log
        self._reader = start_task(self._copy_output())

    @classmethod
    async def start(
        cls,
        function: Function,
        environment: Mapping[str, str],
        *,
        cache: Path,
        folder: Path,
        socket_folder_prefix: str,
        log: logging.Logger,
    ) -> DenoProcess:
        """Start the function and wait until it listens.

        Arguments:
            function: the function to run.
            environment: its environment variables.
            cache: the folder for downloaded modules.
            folder: the functions folder, which it may read.
            socket_folder_prefix: the start of the name of the temporary folder with its socket.
            log: where its output goes.

        Raises:
            BootError: Deno is not installed, or the code fails before it listens; the log has the reason.
        """
        deno = find_deno()
        # Not in the data folder, whose path may be longer than a socket's may be. Its mode is 0700.
        private = tempfile.TemporaryDirectory(prefix=socket_folder_prefix, ignore_cleanup_errors=True)
        try:
            process = await asyncio.create_subprocess_exec(
                deno,
                *_arguments(function, _socket(private), folder=folder, cache=cache),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=_environment(environment, _socket(private), cache=cache),
                cwd=folder,
                limit=_LINE_LIMIT,
                preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
            )
        except BaseException:
            private.cleanup()
            raise
        worker = cls(function, process, private, log)
        try:
            await worker._until_listening()
        except BaseException:
            await worker.stop()
            raise
        return worker

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.returncode is not None

    async def stop(self) -> None:
        """End the process and wait for it."""
        if not self.has_ended:
            self._process.kill()
        await self._process.wait()
        await self._reader
        self._folder.cleanup()

    async def ended(self) -> None:
        """Wait until the process has ended and its output is read."""
        await self._process.wait()
        await self._reader

    async def _until_listening(self) -> None:
        try:
            async with asyncio.timeout(_BOOT_SECONDS):
                while not await _accepts(self.socket):
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


def _socket(folder: tempfile.TemporaryDirectory[str]) -> Path:
    return Path(folder.name, "http.sock")


def _arguments(function: Function, socket: Path, *, folder: Path, cache: Path) -> Sequence[str]:
    # A function may read its own code and use the network, but no other files, programs or native code.
    # To listen on its socket it must be able to read and write that.
    readable = f"{folder},{cache},{_BOOT_MODULE.parent},{socket}"
    options = [
        "run",
        "--no-prompt",
        "--quiet",
        "--no-lock",
        "--node-modules-dir=none",
        "--allow-net",
        "--allow-env",
        f"--allow-read={readable}",
        f"--allow-write={socket}",
        f"--v8-flags=--max-old-space-size={MEMORY_MB}",
    ]
    options.append(f"--config={function.config}" if function.config else "--no-config")
    if function.import_map:
        options.append(f"--import-map={function.import_map}")
    return [*options, str(_BOOT_MODULE), function.entrypoint.as_uri()]


def _environment(environment: Mapping[str, str], socket: Path, *, cache: Path) -> dict[str, str]:
    # Not based on the gateway's environment, which may hold secrets.
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
        "DENO_SERVE_ADDRESS": f"unix:{socket}",
    }


async def _accepts(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    writer.close()
    return True
