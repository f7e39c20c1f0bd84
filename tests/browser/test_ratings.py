"""Rating in two windows: the manager fills the queue, the rater empties it with keys, both boards move."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httpx
from playwright.async_api import FilePayload, Locator, Page, expect

from db.ratings import artifacts
from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.browser import settled
from tests.support.people import Person, sign_up
from tests.support.wait import wait_for
from tests.verify.cast import owner

HOSTILE = "<img src=x onerror=alert(1)> <b>bold</b> **stars** :smile:"
HEARTH, EMBER = "Hearth <i>7b</i>", "Ember & 3b"


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant with an open campaign, its manager and a rater."""

    manager: Person
    rater: Person
    tenant: str
    campaign_id: str
    campaign: str


def found_tenant(stack: StackInfo) -> Place:
    manager, rater = sign_up(stack, "Manager"), sign_up(stack, "Rater")
    tenant = f"t_{uuid.uuid4().hex[:12]}"
    manager.client.rpc("create_tenant", {"p_id": tenant, "p_name": tenant, "p_open_signup": True}).execute()
    rater.client.rpc("join_tenant", {"p_tenant": tenant, "p_rater_id": "rhea"}).execute()
    name = f"Campaign {tenant}"
    values = {"tenant_id": tenant, "name": name, "judgments_per_task": 1, "status": "active"}
    made = manager.client.table("campaigns").insert({**values, "created_by": manager.user_id}).execute()
    [row] = cast("list[Mapping[str, str]]", made.data)
    return Place(manager, rater, tenant, row["id"], name)


def add_tasks(place: Place, *prompts: str, gold: str | None = None) -> None:
    tasks = [
        {
            "task_type": "text_to_sql", "prompt": prompt, "name_a": HEARTH, "name_b": EMBER,
            "candidate_a": "select 1", "candidate_b": f"select 1 1 -- {HOSTILE}", "gold_verdict": gold,
            "gold_reason": f"It runs. {HOSTILE}",
        }
        for prompt in prompts
    ]  # fmt: skip
    params = {"p_campaign": place.campaign_id, "p_tasks": tasks}
    place.manager.client.rpc("create_rating_tasks", params).execute()


def side(page: Page, label: str) -> Locator:
    return page.get_by_role("article", name=f"Candidate {label}", exact=True)


async def key_for_the_valid(page: Page) -> str:
    """Return the key of the side on which this rater sees the candidate that is SQL."""
    return "b" if "select 1 1" in await side(page, "A").inner_text() else "a"


async def has_been_read(page: Page) -> None:
    """Wait until votes count: in a task's first moment, keys are meant for the one before."""
    await expect(page.locator("[role=timer][data-ready]")).to_be_visible()


def verdicts(place: Place) -> list[tuple[str, str]]:
    found = place.manager.client.table("judgments").select("verdict, comment").is_("undone_at", None)
    rows = cast("list[Mapping[str, str]]", found.order("judged_at").execute().data)
    return [(row["verdict"], row["comment"]) for row in rows]


async def test_an_import_names_the_tasks_of_earlier_ones(open_window: OpenWindow, stack: StackInfo) -> None:
    place = found_tenant(stack)
    window = await open_window("/ratings", person=place.manager)
    page = window.page
    await page.get_by_role("radio", name="Add tasks").click()
    await page.get_by_role("tab", name="Many at once").click()
    fields, left_out = page.get_by_label("Or paste it here"), page.get_by_text("left out.")
    field = fields.first
    header = "task_type,prompt,candidate_a,candidate_b,name_a,name_b,external_id"
    first, same_id, new = (
        f"chat,{prompt},a,b,one,two,{own}" for prompt, own in (("P", 7), ("S", 7), ("R", 8))
    )
    # An import has no two tasks of one external_id, so the first one comes without it the second time.
    again = [first.removesuffix("7"), same_id, new]
    for lines, count in (([first], "Add 1 task"), (again, "Add 3 tasks")):
        await field.fill("\n".join([header, *lines]))
        await field.press("ControlOrMeta+Enter")
        await page.get_by_role("button", name=count, exact=True).click()
        await expect(field).to_have_value("")
        await expect(fields).to_have_count(1)  # for a moment the field before is there as well
    await expect(left_out).to_contain_text("2 rows have a problem")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download these rows").click()
    problems = (await (await download.value).path()).read_text(encoding="utf-8-sig").splitlines()
    assert problems[1].startswith("2,This task is in the campaign already.,chat,P")
    assert problems[2].startswith("3,The external_id '7' is that of a task in the campaign already.,chat,S")
    added = place.manager.client.table("rating_tasks").select("id").eq("campaign_id", place.campaign_id)
    assert len(added.execute().data) == 2


async def test_a_task_added_in_one_window_is_rated_by_keyboard_in_the_other(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    place = found_tenant(stack)
    outsider = found_tenant(stack)
    people = (place.manager, place.rater, outsider.rater)
    a, b, stranger = [await open_window("/ratings", person=each) for each in people]
    for window in (a, b, stranger):
        await visitor.is_live(window.page)
    page, main = b.page, b.page.get_by_test_id("stMain")
    await expect(main).to_contain_text("0 of 0 tasks done")
    await expect(page.get_by_role("button", name="Start rating")).to_be_visible()
    await page.keyboard.press("n")
    await expect(main).to_contain_text("Nothing to rate right now")
    runs = b.full_runs()

    # The manager adds a task with the form: it appears on the rater's desk at once, with a toast.
    await a.page.get_by_text("Add tasks", exact=True).click()
    await a.page.get_by_label("Prompt").fill(f"First {HOSTILE}")
    for index, (name, answer) in enumerate(((HEARTH, "select 1"), (EMBER, f"select 1 1 -- {HOSTILE}"))):
        await a.page.get_by_label(f"Name of the {('first', 'second')[index]} candidate").fill(name)
        await a.page.get_by_label("What it answered").nth(index).fill(answer)
    await visitor.form_button(a.page, "Add the task").click()
    await expect(page.get_by_test_id("stToast").first).to_contain_text("1 new task to rate")
    await expect(main).to_contain_text(f"First {HOSTILE}")
    assert b.full_runs() == runs
    assert not b.was_sent(HEARTH)
    assert not b.was_sent(EMBER)  # Names are not even in what the browser was sent.

    # The findings of the check are beside their candidate, as text.
    key = await key_for_the_valid(page)
    better, worse = side(page, key.upper()), side(page, "AB".replace(key.upper(), ""))
    await expect(better).to_contain_text("SQL is valid")
    await expect(worse).to_contain_text('SQL is not valid: syntax error at or near "1"')
    await expect(worse).to_contain_text(HOSTILE)
    await expect(page.locator("img[src=x]")).to_have_count(0)

    # Keys are text in the comment, and votes outside of it.
    await page.keyboard.press("k")
    await expect(page.locator(".st-key-rating_comment_box textarea")).to_be_focused()
    await page.keyboard.type("best at a table xx")
    await page.reload()
    await expect(page.get_by_role("button", name="Start rating")).to_be_visible()
    await settled(page)  # a key before that belongs to no run yet
    await page.keyboard.press("n")
    await expect(page.get_by_label("Comment")).to_have_value("best at a table xx")
    runs = b.full_runs()
    await page.get_by_label("Comment").press("Escape")
    await has_been_read(page)
    await page.keyboard.press(key)
    await expect(main).to_contain_text("Nothing to rate right now")
    assert verdicts(place) == [("A", "best at a table xx")]

    # Undo the vote, judge again, then reveal the names.
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    await page.keyboard.press("u")
    await expect(page.get_by_label("Comment")).to_have_value("best at a table xx")
    await expect(page.get_by_role("button", name="Equally good")).to_be_visible()
    await has_been_read(page)
    await page.keyboard.press("t")
    await expect(main).to_contain_text("Equally good.")
    assert [verdict for verdict, _ in verdicts(place)] == ["tie"]
    await expect(page.get_by_role("button", name="Who was it?")).to_be_visible()
    await page.keyboard.press("w")
    revealed = page.get_by_role("list", name="Judged before")
    await expect(revealed.filter(has_text=f"{HEARTH} and {EMBER} equally good")).to_have_count(1)

    # Two tasks, one of them gold: a key that is held down judges only one.
    add_tasks(place, "Second")
    add_tasks(place, "Third", gold="B")
    await expect(main).to_contain_text("Second")
    await has_been_read(page)
    key = await key_for_the_valid(page)
    await page.keyboard.down(key)
    for _ in range(5):
        await page.keyboard.down(key)
    await page.keyboard.up(key)
    await expect(main).to_contain_text("Third")
    await has_been_read(page)
    assert [verdict for verdict, _ in verdicts(place)] == ["tie", "A"]
    # The comment's field is drawn anew while somebody types: the next letter is no vote.
    await page.keyboard.press("k")
    await expect(page.get_by_label("Comment")).to_be_focused()
    await page.evaluate("document.activeElement.replaceWith(document.activeElement.cloneNode())")
    await page.keyboard.press("b")
    await expect(page.get_by_label("Comment")).to_be_focused()
    await page.keyboard.press("Escape")
    await settled(page)
    await has_been_read(page)
    await page.keyboard.press(await key_for_the_valid(page))
    await expect(page.get_by_test_id("stMain")).to_contain_text("Nothing to rate right now")

    await settled(page)
    await expect(page.get_by_role("button", name="Who was it?")).to_be_visible()
    await page.keyboard.press("w")
    # While the page changes, the list before it may still be there.
    known = f"This task has a known answer: {EMBER} over {HEARTH}. It runs. {HOSTILE}"
    await expect(revealed.filter(has_text=known)).to_have_count(1)
    assert b.full_runs() == runs

    # The manager's board follows; another tenant was sent nothing of this.
    await expect(a.page.get_by_test_id("stMain")).to_contain_text(f"{place.campaign}3 of 3 tasks done")
    for text in (place.tenant, HEARTH, "select 1 1"):
        assert not stranger.was_sent(text)
    await expect(page.get_by_role("button", name="Stop")).to_be_visible()
    await page.keyboard.press("q")
    await expect(page.get_by_role("button", name="Start rating")).to_be_visible()


async def test_a_refused_tenant_leaves_its_form_open_with_the_reason_in_it(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    person = sign_up(stack, "Founder")
    page = (await open_window("/ratings", person=person)).page
    section = page.get_by_test_id("stExpander").filter(has_text="found a tenant")
    await section.locator("summary").click()
    await section.get_by_role("textbox", name="Name").fill("Acme")
    await section.get_by_role("textbox", name="Id").fill("not an id!")
    await visitor.form_button(page, "Found it").click()
    await expect(section.get_by_role("alert")).to_contain_text("A tenant's id has 2 to 63")
    await expect(section.get_by_role("textbox", name="Name")).to_be_visible()
    await expect(section.get_by_role("textbox", name="Name")).to_have_value("Acme")


async def test_the_leaderboard_moves_while_somebody_rates(open_window: OpenWindow, stack: StackInfo) -> None:
    place = found_tenant(stack)
    add_tasks(place, "One", "Two", "Three")
    window = await open_window("/leaderboard", person=place.manager)
    main = window.page.get_by_test_id("stMain")
    await expect(main).to_contain_text("Nobody has judged anything yet")
    await visitor.is_live(window.page)
    runs = window.full_runs()
    for number, verdict in enumerate(("A", "A", "B"), start=1):
        claimed = place.rater.client.rpc("claim_task", {"p_campaign": place.campaign_id}).execute().data
        task_id = cast("Mapping[str, Mapping[str, str]]", claimed)["task"]["id"]
        place.rater.client.rpc("submit_judgment", {"p_task": task_id, "p_verdict": verdict}).execute()
        row = window.page.get_by_role("table", name="Raters").get_by_role("row").filter(has_text="rhea")
        await expect(row.get_by_role("cell").nth(2)).to_have_text(str(number))
    candidates = window.page.get_by_role("table", name="Candidates")
    await expect(candidates).to_contain_text(HEARTH)
    await expect(candidates).to_contain_text(EMBER)
    assert window.full_runs() == runs

    # The export has the same judgments, with who made them.
    await visitor.go(window.page, "Ratings")
    await window.page.get_by_text("Quality", exact=True).click()
    await expect(main).to_contain_text("Krippendorff's alpha")
    async with window.page.expect_download() as download:
        await window.page.get_by_role("button", name="Export CSV").click()
    lines = (await (await download.value).path()).read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("id,campaign_id,task_id,external_id,rater_id,verdict,winner,")
    assert [line.split(",")[4:7] for line in lines[1:]] == [
        ["rhea", "A", HEARTH], ["rhea", "A", HEARTH], ["rhea", "B", EMBER],
    ]  # fmt: skip


async def test_files_of_a_tenant_are_uploaded_shared_and_deleted(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    place = found_tenant(stack)
    window = await open_window("/ratings", person=place.manager)
    page = window.page
    await page.get_by_text("Files", exact=True).click()
    main = page.get_by_test_id("stMain")
    await expect(main).to_contain_text("No files here yet")
    await page.get_by_text("Upload a file").click()
    content = bytes(range(256)) * 8192
    file = FilePayload(name="адаптер — копия.safetensors", mimeType="", buffer=content)
    await page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
    await page.get_by_label("Folder").fill("adapters")
    await page.get_by_role("button", name="Send the file").click()
    await expect(page.get_by_test_id("stToast")).to_contain_text("адаптер — копия.safetensors is uploaded.")
    files = place.manager.client.storage.from_(artifacts.Bucket.MODEL_ARTIFACTS)
    [key] = [one["name"] for one in files.list(place.tenant)]
    assert files.download(f"{place.tenant}/{key}") == content

    await visitor.choose(
        page.get_by_test_id("stSelectbox").filter(has_text="File"), "adapters/адаптер — копия"
    )
    async with page.expect_download() as download:
        await page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    saved = await download.value
    assert saved.suggested_filename == "адаптер — копия.safetensors"
    assert (await saved.path()).read_bytes() == content
    await page.get_by_role("button", name="Make a link").click()
    link = await page.get_by_test_id("stCode").inner_text()
    async with httpx.AsyncClient(timeout=30) as anybody:
        assert (await anybody.get(link.strip())).content == content
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Yes, delete it").click()
    await expect(main).to_contain_text("No files here yet")
    wait_for(lambda: files.list(place.tenant) == [], what="the file to go")


async def test_a_comment_outlives_a_lost_lease(open_window: OpenWindow, stack: StackInfo) -> None:
    place = found_tenant(stack)
    other = sign_up(stack, "Other")
    other.client.rpc("join_tenant", {"p_tenant": place.tenant}).execute()
    add_tasks(place, "Contested")
    window = await open_window("/ratings", person=place.rater)
    page, main = window.page, window.page.get_by_test_id("stMain")
    await page.get_by_role("button", name="Start rating").click()
    await expect(main).to_contain_text("Contested")
    await page.get_by_label("Comment").fill("a long thought")
    await page.get_by_label("Comment").press("Escape")
    with owner(stack) as cursor:
        cursor.execute(
            "update public.task_leases set expires_at = now() - interval '1 second' where campaign_id = %s",
            (place.campaign_id,),
        )
    assert other.client.rpc("claim_task", {"p_campaign": place.campaign_id}).execute().data
    await has_been_read(page)
    await page.keyboard.press("a")
    await expect(page.get_by_test_id("stAlert")).to_contain_text("somebody else has it now")
    assert verdicts(place) == []
    add_tasks(place, "Another")
    await expect(main).to_contain_text("Another")
    await expect(page.get_by_label("Comment")).to_have_value("a long thought")
