"""A page of another program follows a table: the code of docs/api.md and a real EventSource."""

import re
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import fault_proxy
from tests.support.app import AppUnderTest
from tests.support.people import Person, sign_up, unique

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
LISTEN = """
([code, tables, filter, token]) => {
  document.body.innerHTML = "<ol></ol>";
  const follow = new Function(`${code}; return follow`)();
  const take = (name, data) => {
    document.querySelector("ol").insertAdjacentHTML("beforeend", "<li></li>");
    document.querySelector("li:last-child").textContent = name + " " + JSON.stringify(data);
  };
  window.stop = follow("/api", { tables, filter }, () => token, take);
}
"""


def documented() -> str:
    """Return the code that the document offers."""
    (code,) = re.findall(r"```js\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return str(code)


def say(person: Person, text: str) -> None:
    """Say something in the common room."""
    row = {"author_id": person.user_id, "body": text}
    person.client.table("tavern_messages").insert(row).execute()


async def heard(page: Page, texts: list[str]) -> None:
    """Wait until exactly these were heard, in this order."""
    changes = page.locator("li").filter(has_text=re.compile("^change"))
    await expect(changes).to_have_text([re.compile(re.escape(text)) for text in texts])


async def test_a_page_follows_a_table_through_a_cut(
    app: AppUnderTest, browser: Browser, stack: StackInfo
) -> None:
    person = sign_up(stack, "Reader")
    session = person.client.auth.get_session()
    assert session is not None
    texts = [unique("Through the wire") for _ in range(3)]
    context = await browser.new_context()
    with fault_proxy(app.url) as front:
        try:
            page = await context.new_page()
            addresses: list[str] = []
            page.on("request", lambda request: addresses.append(request.url))
            await page.goto(f"{front.url}/api/openapi.json")
            chosen = ["tavern_messages", f"author_id=eq.{person.user_id}", session.access_token]
            await page.evaluate(LISTEN, [documented(), *chosen])
            await expect(page.locator("li").filter(has_text="ready")).to_have_count(1)
            say(person, texts[0])
            await heard(page, texts[:1])

            front.refuse()
            say(person, texts[1])
            front.accept()
            await heard(page, texts[:2])
            say(person, texts[2])
            await heard(page, texts)
            await page.evaluate("stop()")
        finally:
            await context.close()
    assert any("ticket=" in address for address in addresses)
    assert not any(session.access_token in address for address in addresses)
