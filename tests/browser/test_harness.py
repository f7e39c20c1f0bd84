"""The harness finds the faults that it is made for; a guard that cannot fail proves nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.app import AppUnderTest
from tests.support.browser import open_window
from tests.support.recorder import recording
from tests.support.wait import wait_until

SCRIPT = """
import streamlit as st

@st.fragment
def part():
    st.button("Again")

said = st.text_input("Say")
st.text(said)
part()
if said == "fall over":
    raise ValueError("fell over")
"""
CONFIG = "[browser]\ngatherUsageStats = false\n"


@pytest.fixture
def small_app(tmp_path: Path) -> Iterator[AppUnderTest]:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(CONFIG)
    script = tmp_path / "small.py"
    script.write_text(SCRIPT)
    app = AppUnderTest({}, tmp_path / "app.log", script=script)
    app.start()
    yield app
    app.stop()


async def test_it_counts_full_runs_and_finds_texts_in_frames(
    small_app: AppUnderTest, browser: Browser
) -> None:
    window = await open_window(browser, small_app.url)
    page = window.page
    runs = window.full_runs()
    assert runs >= 1
    await page.get_by_role("button", name="Again").click()
    await expect(page.get_by_role("button", name="Again")).to_be_enabled()
    await page.get_by_label("Say").fill("a secret")
    await page.get_by_label("Say").press("Enter")
    await expect(page.get_by_test_id("stText")).to_have_text("a secret")
    with pytest.raises(AssertionError) as failed:
        await expect(page.get_by_test_id("stText")).to_have_text("another secret", timeout=1)
    assert "a secret" in str(failed.value)
    assert "snapshot" not in str(failed.value), "Playwright still describes the page: playwright_driver.cjs."
    assert window.full_runs() == runs + 1
    assert window.was_sent("a secret")
    assert await window.shows("a secret")
    assert not window.was_sent("another secret")
    assert window.problems == []
    await window.context.close()


async def test_it_waits_for_one_element_where_two_are_shown_for_a_moment(
    small_app: AppUnderTest, browser: Browser
) -> None:
    window = await open_window(browser, small_app.url)
    page = window.page
    await expect(page.get_by_label("Say")).to_be_visible()
    # As between two pages of the app, of which each has a field of this name.
    await page.evaluate(
        """() => {
          const gone = document.querySelector("[aria-label=Say]");
          const comes = document.createElement("input");
          comes.ariaLabel = "Say";
          document.body.append(comes);
          setTimeout(() => gone.remove(), 200);
        }"""
    )
    await page.get_by_label("Say").fill("to the one that stays")
    await expect(page.get_by_label("Say")).to_have_value("to the one that stays")
    await window.context.close()


async def test_it_finds_tracebacks_and_console_errors(small_app: AppUnderTest, browser: Browser) -> None:
    window = await open_window(browser, small_app.url)
    await window.page.get_by_label("Say").fill("fall over")
    await window.page.get_by_label("Say").press("Enter")

    def whole_tracebacks() -> list[str]:
        # While the app still writes it, a traceback has no last line yet.
        return [found for found in small_app.tracebacks() if "ValueError" in found]

    [traceback] = await wait_until(whole_tracebacks, what="the traceback in the app's log") or []
    assert traceback.rstrip().endswith("ValueError: fell over")
    await window.page.evaluate("console.error('something is wrong')")
    await window.page.evaluate("setTimeout(() => { throw new Error('thrown') })")
    await wait_until(lambda: len(window.problems) >= 2, what="both errors")
    assert [problem.split(":")[0] for problem in window.problems] == ["console", "page error"]
    await window.context.close()


async def test_it_records_the_requests(small_app: AppUnderTest, browser: Browser) -> None:
    with recording(small_app.url) as recorder:
        window = await open_window(browser, recorder.url)
        await window.context.close()
    targets = [request.target for request in recorder.requests]
    assert "/" in targets
    assert any(target.startswith("/_stcore/stream") for target in targets)
    assert recorder.reads() == []
