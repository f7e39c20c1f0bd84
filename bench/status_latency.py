"""Measures a change of the connection until the badge shows it in a browser, for every kind of change.

The app reaches its database through the tests' fault proxy, so the moment of a fault is known. A fault ends
when everything works again. Faults happen at random moments between two heartbeats, because these decide when
a fault is noticed.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.async_api import Page

from bench.figures import Figure
from bench.running import app_with, chromium, fresh_stack
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.support import visitor
from tests.support.browser import open_window
from tests.support.people import sign_up

ROUNDS = 12
SEED = 7
WITHIN = 2.0  # seconds: the goal

# Resolves with the time, in seconds since the epoch, at which the badge showed one of the statuses.
SHOWN = """statuses => new Promise(done => {
  const text = () => document.querySelector('[class*="st-key-status-"] button')?.innerText ?? "";
  const shown = () => statuses.some(status => text().includes(status));
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  if (shown()) return done(now());
  const observer = new MutationObserver(() => { if (shown()) { observer.disconnect(); done(now()); } });
  observer.observe(document.body, { childList: true, subtree: true, characterData: true });
})"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the network, and the statuses that show it."""

    what: str
    happen: Callable[[FaultProxy], None]
    shown_as: tuple[str, ...]


def _stall(proxy: FaultProxy) -> None:
    proxy.stalled = True


def _no_websockets(proxy: FaultProxy) -> None:
    proxy.no_websockets = True
    proxy.close_websockets(1006)


FAULTS = (
    Fault("connections refused", FaultProxy.refuse, ("Offline",)),
    Fault("half-open, nothing passes and nothing is closed", _stall, ("Offline",)),
    Fault("half-open, as the first sign of it", _stall, ("Connecting", "Offline")),
    Fault("no websockets to be had", _no_websockets, ("Polling",)),
)


def main() -> list[Figure]:
    """Measure in the tab of a signed-in person, who has two feeds."""
    with (
        fresh_stack() as stack,
        fault_proxy(stack.url) as proxy,
        app_with({"SUPABASE_URL": proxy.url, "SUPABASE_KEY": stack.anon_key}) as app,
    ):
        return asyncio.run(_measure(stack, proxy, app.url))


async def _measure(stack: StackInfo, proxy: FaultProxy, url: str) -> list[Figure]:
    figures, chance = [], random.Random(SEED)
    async with chromium() as browser:
        window = await open_window(browser, url)
        person = sign_up(stack, "Watcher")
        await visitor.sign_in_by_form(window.page, person.email, person.password)
        await visitor.is_live(window.page)
        for fault in FAULTS:
            gone, back = [], []
            for _ in range(ROUNDS):
                await asyncio.sleep(chance.uniform(0, Timing().heartbeat))
                gone.append(await _until(window.page, lambda f=fault: f.happen(proxy), fault.shown_as))  # type: ignore[misc]
                back.append(await _until(window.page, proxy.heal, ("Live", "Catching up")))
                await visitor.is_live(window.page)
            badge = f"{fault.what}: badge says"
            figures.append(Figure(f"{badge} {fault.shown_as[0]}", _summary(gone), "max < 2 s"))
            figures.append(Figure(f"{badge} it is over", _summary(back)))
    return figures


async def _until(page: Page, happen: Callable[[], None], statuses: tuple[str, ...]) -> float:
    shown = asyncio.create_task(page.evaluate(SHOWN, list(statuses)))
    await asyncio.sleep(0)
    began = time.time()
    await asyncio.to_thread(happen)
    return max(0.0, float(await shown) - began)


def _summary(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    within = sum(each <= WITHIN for each in ordered)
    return (
        f"median {ordered[len(ordered) // 2]:.2f} s, max {ordered[-1]:.2f} s, "
        f"{within} of {len(ordered)} within {WITHIN:g} s"
    )


if __name__ == "__main__":
    for figure in main():
        print(f"{figure.what}: {figure.value}")
