"""Find a Chromium for the browser tests, or install one.

Playwright downloads its browsers from a host that closed networks do not reach, so a browser that is
already on the machine is taken first.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Headless, no sandbox (tests run as root in containers), and nothing that talks to the network by itself.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

INSTALL_LIMIT = 600  # seconds


class NoChromiumError(RuntimeError):
    """There is no Chromium here and none could be installed; the message says what to do."""


def find_chromium() -> Path | None:
    """Name the browser of TAVERN_CHROMIUM, else one on the PATH, else one that Playwright downloaded."""
    return _from_environment() or _from_path() or _from_playwright()


def ensure_chromium(say: Callable[[str], None] = lambda _: None) -> Path:
    """Find a Chromium or install one: through Playwright, else with apt-get when we are root.

    Raises NoChromiumError when none of these worked.
    """
    found = find_chromium()
    if found is not None:
        return found
    for what, install in (
        ("Playwright", _install_with_playwright),
        ("apt-get", _install_with_apt),
    ):
        say(f"No Chromium found; trying to install one with {what} ...")
        if install():
            found = find_chromium()
            if found is not None:
                return found
    raise NoChromiumError(
        "The browser tests need Chromium, and none was found or could be installed.\n"
        "Install it with your system's packages (Debian, Ubuntu: apt-get install chromium; "
        "macOS: brew install --cask chromium),\n"
        "or name an installed Chromium or Chrome: export TAVERN_CHROMIUM=/path/to/chromium"
    )


def _from_environment() -> Path | None:
    named = os.environ.get("TAVERN_CHROMIUM")
    if not named:
        return None
    found = shutil.which(named)
    if found is None:
        raise NoChromiumError(f"TAVERN_CHROMIUM names {named}, which is not a program that can be run.")
    return Path(found)


def _from_path() -> Path | None:
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    return None


def _from_playwright() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def _install_with_playwright() -> bool:
    return _succeeds([sys.executable, "-m", "playwright", "install", "chromium"])


def _install_with_apt() -> bool:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    return _succeeds(["apt-get", "update", "-qq"]) and _succeeds(install)


def _succeeds(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=environment, timeout=INSTALL_LIMIT, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> int:
    """Print the path of a Chromium, installing one if need be."""
    try:
        sys.stdout.write(f"{ensure_chromium(_say)}\n")
    except NoChromiumError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
