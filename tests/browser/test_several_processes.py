"""Several processes behind nginx, as `make run WORKERS=2` starts them: all are live, and one may be lost."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, Page, expect

from deploy.processes import PROJECT, free_ports
from local_supabase.stack.runtime import StackInfo
from tests.support import visitor
from tests.support.browser import open_window
from tests.support.nginx import missing
from tests.support.people import note_stack, sign_up, unique
from tests.support.wait import wait_for

COOKIE = "tavern_process"


class House:
    """`python -m deploy run` with two processes, and what it has printed."""

    def __init__(self, stack: StackInfo, log: Path) -> None:
        [port] = free_ports(1)
        self.url = f"http://localhost:{port}"
        self._log = log
        settings = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
        command = [sys.executable, "-m", "deploy", "run", "--workers=2", f"--port={port}"]
        with log.open("wb") as file:
            self._running = subprocess.Popen(
                command, cwd=PROJECT, env={**os.environ, **settings}, stdout=file, stderr=file
            )
        wait_for(lambda: f"2 processes serve Tavern at {self.url}" in self.log(), within=200, what=self.url)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def lose_the_first(self) -> None:
        """Kill a process; whoever would start it again is suspended until `supervise`."""
        self._running.send_signal(signal.SIGSTOP)
        [first, _] = sorted(self._apps(), key=lambda app: app.pid)
        first.kill()

    def supervise(self) -> None:
        """Let the lost process be started again."""
        self._running.send_signal(signal.SIGCONT)

    def _apps(self) -> list[psutil.Process]:
        children = psutil.Process(self._running.pid).children()
        return [child for child in children if "streamlit" in child.cmdline()]

    def interrupt(self) -> tuple[int, list[psutil.Process]]:
        """End all as Ctrl+C does; return the status, and the processes that are left."""
        self.supervise()
        children = psutil.Process(self._running.pid).children(recursive=True)
        self._running.send_signal(signal.SIGINT)
        status = self._running.wait(60)
        return status, psutil.wait_procs(children, timeout=5)[1]

    def close(self) -> None:
        """End what a failed test has left."""
        if self._running.poll() is None:
            self.interrupt()


@pytest.fixture
def house(stack: StackInfo, tmp_path: Path) -> Iterator[House]:
    """Run two processes behind nginx."""
    if reason := missing():
        pytest.skip(reason)
    house = House(stack, tmp_path / "house.log")
    note_stack(house.url, stack)
    yield house
    house.close()


async def process_of(page: Page) -> str:
    """Return the process that serves a browser, as its cookie says."""
    return next(one["value"] for one in await page.context.cookies() if one.get("name") == COOKIE)


@pytest.mark.timeout(400)
async def test_people_of_a_lost_process_go_on_in_the_other(
    house: House, browser: Browser, stack: StackInfo
) -> None:
    ann, bo = (sign_up(stack, name) for name in ("Ann", "Bo"))
    windows = [await open_window(browser, house.url) for _ in range(2)]
    [hers, his] = [window.page for window in windows]
    for page, process, person in ((hers, "1", ann), (his, "2", bo)):
        await page.context.add_cookies([{"name": COOKIE, "value": process, "url": house.url}])
        await visitor.sign_in(page, person.email, person.password)
        await visitor.is_live(page)
        assert await process_of(page) == process

    # Both processes are live: each shows what is written in the other.
    said, answer = unique("Said in the first"), unique("Said in the second")
    await visitor.say(hers, said)
    await visitor.hears(his, said)
    await visitor.say(his, answer)
    await visitor.hears(hers, answer)

    draft = unique("I was just about to say")
    await visitor.room_input(hers).fill(draft)
    house.lose_the_first()
    missed = unique("Said meanwhile")
    await visitor.say(his, missed)
    await visitor.hears(hers, missed)
    await visitor.is_signed_in(hers)
    await expect(hers.get_by_test_id("stSidebar")).to_contain_text(ann.name)
    await expect(visitor.room_input(hers)).to_have_value(draft)
    await visitor.room_input(hers).press("Enter")
    await visitor.hears(his, draft)
    assert await process_of(hers) == "2"

    house.supervise()
    wait_for(lambda: "app 1 has ended with -9, and is started again." in house.log(), what="a new process")
    for window in windows:
        await window.context.close()
    assert house.interrupt() == (0, [])
    assert "Traceback" not in house.log()
    assert set(re.findall(r"^([\w ]+) \| ", house.log(), re.M)) <= {"app 1", "app 2", "nginx", "tavern"}
