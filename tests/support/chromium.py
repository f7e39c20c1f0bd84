"""Find a Chromium for the browser tests, or install one.

Playwright downloads its browsers from a host that closed networks cannot reach, so an installed browser is
preferred.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# The headless shell first: the same browser without the window around a page, and a fifth faster.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)

# No sandbox, because tests run as root in containers. No background traffic of the browser's own.
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
    # A page of a test does not live long enough to earn the time that optimizing compilers take.
    "--js-flags=--no-turbofan --no-maglev",
)

INSTALL_LIMIT = 600  # seconds


class NoChromiumError(RuntimeError):
    """No Chromium was found and none could be installed. The message says what to do."""


def find_chromium() -> Path | None:
    """Return the browser that TAVERN_CHROMIUM names, else one on the PATH, else Playwright's own download."""
    return _from_environment() or _from_path() or _from_playwright()


def ensure_chromium(report: Callable[[str], None] = lambda _: None) -> Path:
    """Find a Chromium, or install one with Playwright, else with apt-get if this process is root.

    `report` is called with a line of text before each installation. Raises NoChromiumError if all fails.
    """
    found = find_chromium()
    if found is not None:
        return found
    for what, install in (
        ("Playwright", _install_with_playwright),
        ("apt-get", _install_with_apt),
    ):
        report(f"No Chromium found; trying to install one with {what} ...")
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
        raise NoChromiumError(f"TAVERN_CHROMIUM names {named}, which cannot be run.")
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
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    return _succeeds(["apt-get", "update", "-qq"]) and (
        _succeeds([*install, "chromium-headless-shell"]) or _succeeds([*install, "chromium"])
    )


def _succeeds(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=environment, timeout=INSTALL_LIMIT, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _print_error(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> int:
    """Print the path of a Chromium. Install one if there is none."""
    try:
        sys.stdout.write(f"{ensure_chromium(_print_error)}\n")
    except NoChromiumError as error:
        _print_error(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
