"""The page Diagnostics shows admins, and nobody else, what is wrong and how to repair it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from playwright.async_api import Locator, Page, expect

from local_supabase.stack.runtime import StackInfo
from tests.browser.conftest import OpenWindow
from tests.support import visitor
from tests.support.people import give_role, sign_up

CHECKS = (
    "Address and key",
    "Sign-in",
    "Live connection",
    "Publication",
    "Policies",
    "Database clock",
    "Browser clock",
    "Schema",
    "Database",
    "Libraries",
    "Feed",
    "Sessions and feeds",
)


async def test_an_admin_sees_what_is_wrong_and_how_to_repair_it(
    open_window: OpenWindow, stack: StackInfo
) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    window = await open_window(person=admin)
    await visitor.is_live(window.page)
    await visitor.go(window.page, "Diagnostics")
    for name in CHECKS:
        await expect(_result(window.page, name)).to_have_text("ok")
    await expect(window.page.get_by_text("Everything is as it should be.")).to_be_visible()

    with _migration_forgotten(stack):
        await window.page.get_by_role("button", name="Run the checks again").click()
        await expect(_result(window.page, "Schema")).to_have_text("failed")
        await expect(_row(window.page, "Schema")).to_contain_text("supabase db push")
    await window.page.get_by_role("button", name="Run the checks again").click()
    await expect(_result(window.page, "Schema")).to_have_text("ok")

    give_role(stack, admin.user_id, "member")
    await expect(window.page.get_by_text("For admins only")).to_be_visible()
    await expect(_row(window.page, "Schema")).to_have_count(0)


async def test_nobody_else_has_the_page(open_window: OpenWindow, stack: StackInfo) -> None:
    person = sign_up(stack, "Member")
    window = await open_window(person=person)
    await expect(visitor.navigation(window.page, "People")).to_be_visible()
    await expect(visitor.navigation(window.page, "Diagnostics")).to_have_count(0)
    by_address = await window.open_tab("/diagnostics")
    await expect(by_address.get_by_text("For admins only")).to_be_visible()
    await expect(by_address.get_by_role("button", name="Run the checks again")).to_have_count(0)


def _row(page: Page, name: str) -> Locator:
    return page.locator(f'[data-check="{name}"]')


def _result(page: Page, name: str) -> Locator:
    return _row(page, name).locator(".tv-state")


@contextmanager
def _migration_forgotten(stack: StackInfo) -> Iterator[None]:
    """Take one migration off the list of those that are applied, for the block."""
    connection = psycopg2.connect(stack.database_url)
    connection.autocommit = True
    version = "20261120130000"
    table = "supabase_migrations.schema_migrations"
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"create temp table kept as select * from {table} where version = %s", (version,))
            cursor.execute(f"delete from {table} where version = %s", (version,))
            assert cursor.rowcount == 1
            try:
                yield
            finally:
                cursor.execute(f"insert into {table} select * from kept")
    finally:
        connection.close()
