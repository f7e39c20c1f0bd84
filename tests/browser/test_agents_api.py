"""A run that a program starts over HTTP is followed in the open page: one process serves both."""

import httpx
from playwright.async_api import expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.app import AppUnderTest
from tests.support.people import anonymous_client, sign_up


async def test_a_run_started_and_cancelled_by_a_program_is_followed_in_the_page(
    app: AppUnderTest, open_window: OpenWindow, stack: StackInfo
) -> None:
    ann = sign_up(stack, "Ann")
    window = await open_window(person=ann)
    await visitor.go(window.page, "Agents")
    await visitor.is_live(window.page)
    session = anonymous_client(stack).auth.sign_in_with_password(
        {"email": ann.email, "password": ann.password}
    )
    assert session.session is not None
    headers = {"Authorization": f"Bearer {session.session.access_token}"}
    runs = window.full_runs()
    row = window.page.locator(".tv-run").filter(has_text="By a program")

    async with httpx.AsyncClient(base_url=f"{app.url}/api", headers=headers, timeout=60) as api:
        body = {"agent": "docs-checker", "task_id": "By a program", "options": {"pace": 10}}
        started = (await api.post("/agents/run", json=body)).raise_for_status().json()
        await expect(row).to_contain_text("In progress")
        await expect(row).to_contain_text("Checking CHANGELOG.md")
        (await api.post(f"/agents/runs/{started['run_id']}/cancel")).raise_for_status()
        await expect(row).to_contain_text("Cancelled")
    assert window.full_runs() == runs
