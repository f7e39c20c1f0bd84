"""Events and people have pages of their own, and what names them leads there."""

import re

from playwright.async_api import FloatRect, Locator, ViewportSize, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.browser.test_accessibility import faults
from tests.support import visitor
from tests.support.browser import DESKTOP, PHONE, settled
from tests.support.people import Person, sign_in_elsewhere, sign_up, unique
from tests.support.pictures import photo

WIDE = ViewportSize(width=1440, height=900)
_NO_FULL_LOAD = "window.marked = true"
_MIDDLE = """image => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 256, height: 256 });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const [red, , blue] = context.getImageData(128, 128, 1, 1).data;
  return red > blue ? "red" : "blue";
}"""


def make_event(host: Person, title: str, **values: object) -> str:
    """Create an event in New York and return its id."""
    times = {"starts_at": "2031-01-01T23:00:00Z", "ends_at": "2031-01-02T01:00:00Z"}
    row = {"title": title, "organizer_id": host.user_id, "time_zone": "America/New_York", **times, **values}
    made: list[dict[str, str]] = host.client.table("events").insert(row).execute().data  # type: ignore[assignment]
    return made[0]["id"]


async def box(element: Locator) -> FloatRect:
    """Return where an element is in the window."""
    found = await element.bounding_box()
    assert found is not None
    return found


async def test_an_event_and_its_people_are_one_click_apart(open_window: OpenWindow, stack: StackInfo) -> None:
    host, guest = sign_up(stack, "Host"), sign_up(stack, "Guest")
    title = unique("Ball")
    event_id = make_event(host, title, location="The hall", description="Bring shoes. " * 80)
    mine = await open_window(person=guest)
    other = await open_window(f"/event?id={event_id}")
    page = mine.page
    await visitor.go(page, "Events")
    await page.evaluate(_NO_FULL_LOAD)

    # A long description is folded, and unfolds.
    listed = visitor.event(page, title)
    for size in (PHONE, WIDE):
        await page.set_viewport_size(size)
        folded = await box(listed.locator(".tv-fold .tv-text"))
        await listed.get_by_text("Show more").click()
        await expect(listed.get_by_text("Show less")).to_be_visible()
        assert (await box(listed.locator(".tv-fold .tv-text")))["height"] > folded["height"]
        await listed.get_by_text("Show less").click()

    await page.get_by_role("link", name=title).click()
    await expect(visitor.heading(page)).to_have_text(title)
    await expect(page).to_have_title(re.compile(rf"{title} · Tavern$"))
    assert page.url.endswith(f"/event?id={event_id}")
    card = page.locator(".tv-event")
    await expect(card).to_contain_text("Thursday, January 2, 2031, 12:00 AM – 2:00 AM")
    await expect(card).to_contain_text("6:00 PM – 8:00 PM in America/New_York")
    on_a_map = card.get_by_role("link", name="Show on a map")
    await expect(on_a_map).to_have_attribute(
        "href", re.compile(r"openstreetmap\.org/search\?query=The\+hall$")
    )
    await expect(on_a_map).to_have_attribute("target", "_blank")
    await expect(card.get_by_role("button", name="Edit")).to_be_hidden()

    # Answers are live, for visitors too.
    await card.get_by_role("button", name="Going").click()
    await expect(card.get_by_role("button", name="Going")).to_have_attribute("aria-pressed", "true")
    chip = other.page.locator(".tv-answers").get_by_role("link", name=guest.name)
    await expect(chip).to_be_visible()

    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    toast = page.get_by_test_id("stToast")
    for size in (PHONE, WIDE):
        await page.set_viewport_size(size)
        # A toast leaves the badge free.
        await card.get_by_role("button", name="Copy link").click()
        await expect(toast.last).to_contain_text("The link is copied.")
        badge, shown = await box(visitor.badge(page)), await box(toast.last)
        assert shown["y"] > badge["y"] + badge["height"]
        assert shown["x"] >= 0
        assert shown["x"] + shown["width"] <= size["width"]
    await page.set_viewport_size(DESKTOP)
    assert await page.evaluate("navigator.clipboard.readText()") == page.url
    current = page.get_by_test_id("stSidebar").get_by_role("link", name="Events")
    await expect(current).to_have_attribute("aria-current", "true")

    await card.get_by_role("link", name=host.name).focus()
    await page.keyboard.press("Enter")
    await expect(visitor.heading(page)).to_have_text(host.name)
    await expect(page).to_have_title(re.compile(rf"{host.name} · Tavern$"))
    hosted = page.locator(".tv-plans").filter(has_text="Hosts").get_by_role("link", name=title)
    await expect(hosted).to_be_visible()
    await expect(page.get_by_text("Not here now")).to_be_visible()
    # One step back for one step forth.
    await page.go_back()
    await expect(visitor.heading(page)).to_have_text(title)
    await page.go_forward()
    await page.get_by_role("link", name="Write a message").click()
    await expect(visitor.heading(page)).to_have_text("Inbox")
    assert page.url.endswith(f"/inbox?with={host.user_id}")
    assert await page.evaluate("window.marked")

    # What happens to the row happens to the page.
    renamed = unique("Concert")
    host.client.table("events").update({"title": renamed}).eq("id", event_id).execute()
    await expect(visitor.heading(other.page)).to_have_text(renamed)
    await expect(other.page).to_have_title(f"{renamed} · Tavern")
    host.client.table("events").delete().eq("id", event_id).execute()
    await expect(other.page.get_by_text("This event is no longer there")).to_be_visible()


async def test_an_address_leads_there_through_signing_in_on_a_phone(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    host, guest = sign_up(stack, "Host"), sign_up(stack, "Guest")
    title = unique("Picnic")
    event_id = make_event(host, title)
    window = await open_window(f"/event?id={event_id}", viewport=PHONE)
    page = window.page
    await visitor.is_live(page)
    await expect(page.locator(".tv-event")).to_be_visible()
    assert await faults(page) == [], "an event"
    await page.set_viewport_size(PHONE)
    await settled(page)
    await page.get_by_role("link", name="Sign in to answer").click()
    await visitor.fill_credentials(page, guest.email, guest.password)
    await visitor.form_button(page, "Sign in").click()
    await expect(visitor.heading(page)).to_have_text(title)
    assert page.url.endswith(f"/event?id={event_id}")
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(overflow) == 0

    # The whole card of a person leads to them, and who is here is first.
    await page.locator(".st-key-tabs").get_by_role("link", name="People").click()
    await expect(page.locator(".tv-person").first).to_have_class(re.compile("online"))
    await page.get_by_label("Search").fill(host.name)
    await page.get_by_label("Search").press("Enter")
    await page.locator(".tv-person").filter(has_text=host.name).click(position={"x": 5, "y": 5})
    await expect(visitor.heading(page)).to_have_text(host.name)
    assert await faults(page) == [], "a person"

    missing = {"event?id=x": "This event does not exist", "person": "This person does not exist"}
    for path, words in missing.items():
        await page.goto(f"{window.url}/{path}")
        await settled(page)
        await expect(page.get_by_text(words)).to_be_visible()


async def test_a_profile_has_an_emoji_or_a_picture_and_one_signs_out_here_or_everywhere(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    me = sign_up(stack, "Chooser")
    here = await open_window("/profile", person=me)
    elsewhere = await open_window(f"/person?id={me.user_id}", person=me)
    page = here.page
    field, fox = page.get_by_label("Avatar", exact=True), page.get_by_role("button", name="Fox")
    await page.get_by_role("button", name="Owl").click()
    await fox.focus()
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("🦊")
    await expect(fox).to_have_attribute("aria-pressed", "true")
    assert await faults(page) == [], "the profile"
    await visitor.form_button(page, "Save profile").click()
    await expect(elsewhere.page.locator(".tv-profile .tv-avatar")).to_have_text("🦊")
    await expect(fox).to_have_attribute("aria-pressed", "true")

    # A picture covers the emoji everywhere at once, and is another file than the one that was chosen.
    await page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "me.txt.png", "mimeType": "image/png", "buffer": b"<script>"}
    )
    await expect(page.get_by_role("alert").filter(has_text="This is not a picture")).to_be_visible()
    await page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    part = page.get_by_role("group", name="The part that others see")
    for _ in range(25):  # to the red left end of the picture
        await part.press("ArrowLeft")
    assert await faults(page) == [], "the choice of a part"
    await page.get_by_role("button", name="Use this picture").click()
    shown = elsewhere.page.locator(".tv-profile .tv-avatar img")
    await expect(shown).to_have_js_property("naturalWidth", 256)
    assert await shown.evaluate(_MIDDLE) == "red"
    await expect(page.locator(".tv-who .tv-avatar img")).to_have_js_property("naturalWidth", 256)
    await expect(elsewhere.page.get_by_role("button", name="Take the picture down")).to_have_count(0)
    await expect(part).to_have_count(0)
    await page.get_by_role("button", name="Remove picture").click()
    await expect(shown).to_have_count(0)
    await expect(elsewhere.page.locator(".tv-profile .tv-avatar")).to_have_text("🦊")

    # Each device that is signed in is listed until it is signed out, wherever that is done.
    sign_in_elsewhere(stack, me.email, me.password)
    await elsewhere.page.get_by_role("link", name="Edit your profile").click()
    devices = elsewhere.page.locator('[class*="st-key-device_"]')
    this, forgotten = devices.filter(has_text="this device"), devices.filter(has_text="Unknown device")
    await expect(this).to_contain_text("Chrome on")
    assert await faults(elsewhere.page) == [], "the devices"
    before = await devices.count()
    await forgotten.last.get_by_role("button", name="Sign this one out").click()
    await expect(devices).to_have_count(before - 1)
    await page.get_by_role("button", name="Sign out on this device").click()
    await visitor.is_signed_out(page)
    await expect(devices).to_have_count(before - 2)
    await elsewhere.page.get_by_role("button", name="Sign out everywhere else").click()
    await expect(devices).to_have_count(1)
    await elsewhere.page.get_by_role("button", name="Sign out everywhere", exact=True).click()
    await visitor.is_signed_out(elsewhere.page)
