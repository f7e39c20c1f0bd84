"""The page of an event: people talk about it, see each other there, and its hosts put things right."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.browser.test_accessibility import faults
from tests.support import visitor
from tests.support.browser import PHONE
from tests.support.people import Person, sign_up, unique
from tests.support.pictures import halves, written


def new_event(host: Person, title: str) -> str:
    """Create an event; return its id."""
    starts = datetime.now(UTC) + timedelta(days=2)
    row = {
        "title": title,
        "organizer_id": host.user_id,
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=2)).isoformat(),
    }
    made = host.client.table("events").insert(row).execute().data
    return str(made[0]["id"])  # type: ignore[index,call-overload]


async def write(page: Page, text: str) -> None:
    """Send a message to the discussion and wait until it is shown."""
    field = page.get_by_placeholder("Write to everybody…")
    await field.fill(text)
    await field.press("Enter")
    await hears(page, text)


async def hears(page: Page, text: str) -> None:
    """Wait until a message is shown in the discussion."""
    await expect(page.get_by_role("log", name="Discussion").get_by_text(text, exact=True)).to_be_visible()


async def test_people_talk_about_an_event_on_its_page(open_window: OpenWindow, stack: StackInfo) -> None:
    host, guest = sign_up(stack, "Host"), sign_up(stack, "Guest")
    event, other = new_event(host, unique("Ball")), new_event(host, unique("Fair"))
    mine = await open_window(f"/event?id={event}", person=host)
    theirs = await open_window(f"/event?id={event}", person=guest, viewport=PHONE)
    await expect(mine.page.get_by_text("Nothing said yet")).to_be_visible()
    for window, name in ((mine, guest.name), (theirs, host.name)):
        looking = window.page.get_by_role("status").filter(has_text="Looking at this now")
        await expect(looking).to_contain_text(name)
    runs = mine.full_runs()

    question, answer, rude = unique("Who brings cake?"), unique("I do"), unique("Rude words")
    await write(theirs.page, question)
    await hears(mine.page, question)
    await write(mine.page, answer)
    await hears(theirs.page, answer)
    await write(theirs.page, rude)

    # The host hides, and the author cannot take that back.
    await visitor.use(mine.page, rude, "Hide")
    await expect(theirs.page.get_by_text("hidden by a moderator")).to_be_visible()
    await expect(theirs.page.get_by_role("button", name="Show again")).to_be_hidden()
    assert mine.full_runs() == runs

    # The author changes their words.
    await visitor.use(theirs.page, question, "Edit")
    dialog = theirs.page.get_by_role("dialog")
    await dialog.get_by_label("Message").fill("Who brings bread?")
    await dialog.get_by_role("button", name="Save").click()
    await expect(mine.page.get_by_role("log")).to_contain_text("Who brings bread? (edited)")

    # A picture is cut to a square, and everybody sees it at once.
    await mine.page.get_by_text("Picture", exact=True).click()
    await mine.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "ball.jpg", "mimeType": "image/jpeg", "buffer": written(halves(900, 600), "JPEG")}
    )
    await expect(mine.page.get_by_role("group", name="The part that others see")).to_be_visible()
    assert await faults(mine.page) == []
    await mine.page.get_by_role("button", name="Use this picture").click()
    shown = theirs.page.locator("article.tv-event img.tv-event-picture")
    await expect(shown).to_have_js_property("naturalWidth", 512)
    await expect(theirs.page.get_by_test_id("stFileUploaderDropzoneInput")).to_have_count(0)
    await mine.page.get_by_role("button", name="Remove picture").click()
    await expect(shown).to_have_count(0)

    # Another event has a discussion of its own, and whoever goes there looks no more.
    await mine.page.goto(f"{mine.url}/event?id={other}")
    await expect(theirs.page.get_by_text("Looking at this now")).to_have_count(0)
    await expect(mine.page.get_by_text("Nothing said yet")).to_be_visible()
