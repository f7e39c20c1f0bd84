"""Chromium opens objects: what it shows, what it runs, and the names under which it saves."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Error, expect

from local_supabase.stack.runtime import StackInfo
from tests.security.storage.test_scripts import PAGE, store
from tests.support.browser import running_browser

PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "ran"</script></svg>'
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000"
    "050001a5f645400000000049454e44ae426082"
)
NAMES = {
    "plain.pdf": "plain.pdf",
    "my file.pdf": "my file.pdf",
    "50% off.pdf": "50% off.pdf",
    "résumé.pdf": "résumé.pdf",
    "документ.pdf": "документ.pdf",
    "日本 語.pdf": "日本 語.pdf",
    "semi;colon, comma.pdf": "semi;colon, comma.pdf",
    # Chromium itself saves a quote as "_".
    'the "best".pdf': "the _best_.pdf",
    "../../evil.sh": "_.._evil.sh",
    "cod\u202efdp.exe": "codfdp.exe",
}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async for browser in running_browser():
        yield browser


async def test_no_script_of_an_object_runs(stack: StackInfo, open_bucket: str, browser: Browser) -> None:
    page = await browser.new_page()
    objects = {
        "a.html": (PAGE, "text/HTML"),
        "a.svg": (PICTURE, "image/SVG+xml"),
        "a.xml": (PAGE, "text/xml"),
    }
    for name, (content, mime_type) in objects.items():
        address = store(stack, open_bucket, name, content, mime_type)
        async with page.expect_download():
            with pytest.raises(Error, match="Download is starting"):
                await page.goto(address)
    # A frame shows only what the browser would show.
    await page.set_content(
        f'<iframe src="{store(stack, open_bucket, "b.txt", PAGE, "text/plain")}"></iframe>'
    )
    await expect(page.frame_locator("iframe").locator("pre")).to_contain_text("<script>")
    assert await page.title() != "ran"


async def test_pictures_and_texts_are_shown(stack: StackInfo, open_bucket: str, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(store(stack, open_bucket, "a.png", DOT, "image/png"))
    assert await page.evaluate("document.images[0].naturalWidth") == 1
    await page.goto(store(stack, open_bucket, "a.json", b'{"a": 1}', "application/json"))
    await expect(page.locator("pre")).to_have_text('{"a": 1}')
    # An object of any type can be part of another page, as before.
    picture = store(stack, open_bucket, "a.svg", PICTURE.replace(b"<svg", b'<svg width="7"'), "image/svg+xml")
    await page.set_content(f'<img src="{picture}">')
    await page.wait_for_function("document.images[0].complete")
    assert await page.evaluate("document.images[0].naturalWidth") == 7


async def test_downloads_have_the_names_that_were_asked_for(
    stack: StackInfo, open_bucket: str, browser: Browser
) -> None:
    page = await browser.new_page()
    address = store(stack, open_bucket, "a.pdf", b"%PDF", "application/pdf")
    saved = {}
    for name in NAMES:
        async with page.expect_download() as waiting:
            with pytest.raises(Error, match="Download is starting"):
                await page.goto(f"{address}?download={quote(name, safe='')}")
        saved[name] = (await waiting.value).suggested_filename
    assert saved == NAMES
