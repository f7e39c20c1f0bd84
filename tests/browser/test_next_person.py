"""The next person in a tab finds nothing that the last one left in it, and does nothing in their name."""

from __future__ import annotations

import re
import uuid

from playwright.async_api import FilePayload, Page, expect

from db.ratings import artifacts
from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.browser.test_ratings import Place, found_tenant
from tests.support import visitor
from tests.support.browser import settled
from tests.support.people import Person, sign_up, unique
from tests.verify.cast import owner


async def enter(page: Page, person: Person) -> None:
    """Sign in."""
    await visitor.sign_in_by_form(page, person.email, person.password)


async def hand_over(page: Page, to: Person) -> None:
    """Sign out, and let somebody else sign in, in the same tab."""
    await visitor.sign_out(page)
    await enter(page, to)


async def test_what_was_written_and_not_sent(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, next_one = sign_up(stack, "Ann"), sign_up(stack, "Next")
    window = await open_window()
    page, secret = window.page, unique("Nobody else may read this")
    await enter(page, ann)
    await visitor.go(page, "Tavern")
    await visitor.room_input(page).fill(secret + " and so on" * 500)
    await visitor.room_input(page).press("Enter")
    await expect(page.get_by_text("Please shorten it.")).to_be_visible()
    await visitor.go(page, "Events")
    await page.get_by_role("button", name="New event").click()
    await page.get_by_role("textbox", name="Title").fill(secret)
    await visitor.go(page, "People")
    await page.get_by_label("Search").fill(secret)
    await page.get_by_label("Search").press("Enter")
    await expect(page.get_by_text("Nobody found")).to_be_visible()

    await visitor.sign_out(page)
    await expect(page.get_by_label("Search")).to_have_value("")
    await expect(page.get_by_text("Nobody found")).to_have_count(0)
    await enter(page, next_one)
    for place in ("People", "Tavern", "Inbox"):
        await visitor.go(page, place)
        await expect(page.get_by_text(secret)).to_have_count(0)
        assert secret not in await page.content()
    await visitor.go(page, "Tavern")
    await expect(visitor.room_input(page)).to_have_value("")
    await visitor.go(page, "Events")
    await page.get_by_role("button", name="New event").click()
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("")
    await expect(page.get_by_role("button", name="Discard it")).to_have_count(0)


async def test_the_chosen_conversation_and_its_unread_messages(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    ann, next_one, friend, other = (sign_up(stack, name) for name in ("Ann", "Next", "Friend", "Other"))
    for sender, recipient in ((friend, ann), (friend, next_one), (other, next_one)):
        message = {"sender_id": sender.user_id, "recipient_id": recipient.user_id, "body": "Hello"}
        sender.client.table("private_messages").insert(message).execute()
    window = await open_window()
    page = window.page
    await enter(page, ann)
    await visitor.go(page, "Inbox")
    await visitor.open_conversation(page, friend.name)
    await expect(visitor.navigation(page, "Inbox")).to_have_text(re.compile(r"Inbox$"))

    await hand_over(page, next_one)
    await expect(visitor.navigation(page, "Inbox")).to_have_text(re.compile(r"Inbox\s*2$"))
    await visitor.go(page, "Inbox")
    await expect(page.get_by_role("heading", level=2)).to_contain_text(other.name)
    await expect(visitor.navigation(page, "Inbox")).to_have_text(re.compile(r"Inbox\s*1$"))
    unread = next_one.client.table("private_messages").select("sender_id").is_("read_at", "null").execute()
    assert unread.data == [{"sender_id": friend.user_id}]


async def test_a_private_run_by_its_address(open_window: OpenWindow, stack: StackInfo) -> None:
    ann, next_one = sign_up(stack, "Ann"), sign_up(stack, "Next")
    agent, run = unique("secret-agent"), str(uuid.uuid4())
    insert = (
        "insert into public.agent_runs (user_id, agent_name, agent_id, status, completed_at, created_at, id)"
    )
    with owner(stack) as cursor:
        # The page has not loaded a run that is older than so many others, but reads it by its address.
        values = "values (%s, %s, 'a', 'completed', now(), '2020-01-01', %s)"
        cursor.execute(f"{insert} {values}", (ann.user_id, agent, run))
        many = "select %s, 'newer', 'a', 'completed', now(), now(), gen_random_uuid()"
        cursor.execute(f"{insert} {many} from generate_series(1, 510)", (ann.user_id,))
    window = await open_window()
    page = window.page
    await enter(page, ann)
    await page.goto(f"{window.url}/agents?run={run}")
    await settled(page)
    await expect(page.get_by_test_id("stMain")).to_contain_text(agent)

    await hand_over(page, next_one)
    while f"run={run}" not in page.url:
        await page.go_back()
        await settled(page)
    await expect(page.get_by_test_id("stMain")).to_contain_text("There is no such run")
    await expect(page.get_by_text(agent)).to_have_count(0)


async def show_files(page: Page) -> None:
    """Open the files of a tenant, and the form to upload one."""
    await visitor.go(page, "Ratings")
    await page.get_by_text("Files", exact=True).click()
    await page.get_by_text("Upload a file").click()


async def test_files_on_their_way_and_what_became_of_them(open_window: OpenWindow, stack: StackInfo) -> None:
    place, other = found_tenant(stack), found_tenant(stack)
    put_file(place, "secret.safetensors")
    window = await open_window()
    page, main = window.page, window.page.get_by_test_id("stMain")
    await enter(page, place.manager)
    await show_files(page)
    file = FilePayload(name="secret.safetensors", mimeType="", buffer=b"0123")
    await page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
    await page.get_by_label("Folder").fill("private-folder")
    await page.get_by_role("button", name="Send the file").click()
    await expect(main).to_contain_text("Replace a file of the same name")
    await expect(main.get_by_test_id("stAlert")).to_be_visible()
    await expect(page.get_by_test_id("stToast")).to_contain_text("There is a file secret.safetensors already")

    await hand_over(page, other.manager)
    await show_files(page)
    await expect(main).to_contain_text("No files here yet")
    await expect(main.get_by_test_id("stAlert")).to_have_count(0)
    await expect(page.get_by_label("Folder")).to_have_value("")
    await expect(page.get_by_test_id("stToast")).to_have_count(0)
    assert "secret.safetensors" not in await page.content()


def put_file(place: Place, name: str) -> None:
    """Upload a file to the folder of a tenant."""
    files = place.manager.client.storage.from_(artifacts.Bucket.MODEL_ARTIFACTS)
    files.upload(
        f"{place.tenant}/private-folder/{name}", b"0123", {"content-type": "application/octet-stream"}
    )
