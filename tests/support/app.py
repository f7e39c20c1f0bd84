"""Run the app as its users start it: in its own process, on a free port, against a stack."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from local_supabase.stack.privileges import child_setup
from tests.support.wait import wait_for

PROJECT = Path(__file__).resolve().parents[2]
WHOLE = PROJECT / "asgi.py"
"""The app and the HTTP API, as `make run` starts them."""
PAGES_ONLY = PROJECT / "app.py"
"""The app alone, as Streamlit Cloud starts it."""

# With port 0 Streamlit takes a free port and names it in its greeting.
_GREETING = re.compile(r"Local URL: (http://localhost:\d+)")
_TRACEBACK = re.compile(r"^ *Traceback \(most recent call last\):\n(?:^[ |].*\n)*^.*$", re.M)


class AppUnderTest:
    """`streamlit run asgi.py` and its log. `stop` ends it with every process that it started."""

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path,
        *,
        script: Path = WHOLE,
        python: str | Path = sys.executable,
    ) -> None:
        self.log_path = log
        self.url = ""
        self._environment = environment
        self._script = script
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None
        self._begin = 0  # the position in the log where the current run begins

    @property
    def pid(self) -> int:
        """Return the process id of the Streamlit server, which is also its process group."""
        assert self._process is not None, "The app was not started."
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the app's process has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, within: float = 60, port: int = 0) -> None:
        """Start the server and wait up to `within` seconds until it answers. Port 0 means any free port."""
        command = [str(self._python), "-m", "streamlit", "run", str(self._script)]
        command += [f"--server.port={port}", "--server.headless=true", "--server.fileWatcherType=none"]
        command += ["--logger.enableRich=false"]  # so that tracebacks can be found in the log
        self._begin = len(self.log())
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._script.parent,
                env=_environment(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A process group of its own, which the kernel ends when the tests are killed.
                preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
            )
        self.url = wait_for(self._address, within=within, what="the app's address in its log")
        wait_for(self._healthy, within=within, what="the app's health page")

    def stop(self) -> None:
        """End the server as Ctrl+C does. Kill the whole group if it takes longer than ten seconds."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """Kill only the server process, without a chance to clean up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def suspend(self) -> None:
        """Suspend the server process: its connections stay open, and nothing answers until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended server go on."""
        os.kill(self.pid, signal.SIGCONT)

    def start_again(self) -> None:
        """Start the server again on the port it had, after `stop` or `kill`."""
        port = urlsplit(self.url).port
        assert port is not None
        self.start(port=port)

    def log(self) -> str:
        """Return everything that the app has printed so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tracebacks(self) -> list[str]:
        """Return the tracebacks in the log. A healthy app prints none."""
        return _TRACEBACK.findall(self.log())

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _address(self) -> str | None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"The app ended with {self._process.returncode}:\n{self.log()}")
        greeting = _GREETING.search(self.log(), self._begin)
        return greeting.group(1) if greeting else None

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, TimeoutError):
            return False


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment, without a developer's own project, plus what the test gives.

    The settings are empty rather than unset, because a `.env` file fills unset ones.
    """
    own = {"SUPABASE_URL": "", "SUPABASE_KEY": "", "SUPABASE_SERVICE_KEY": "", "DATABASE_URL": ""}
    return {**os.environ, **own, "PYTHONUNBUFFERED": "1", **given}
