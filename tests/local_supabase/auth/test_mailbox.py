from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from local_supabase.auth.mailbox import KEPT_MAILS, Mail, Mailbox, MailKind
from local_supabase.auth.mailbox_page import mailbox_routes

URL = "http://127.0.0.1:54324/the-secret"
GATEWAY = "http://127.0.0.1:54321"


def _mail(number: int, to: str = "ada@x.example", subject: str = "Your Magic Link") -> Mail:
    sent_at = f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z"
    return Mail(
        f"m{number}", MailKind.MAGIC_LINK, to, subject, "123456", f"{GATEWAY}/auth/v1/verify?a=1&b=2", sent_at
    )


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "mailbox")


@pytest.fixture
def browser(mailbox: Mailbox) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=Starlette(routes=mailbox_routes(mailbox, URL)))
    return httpx.AsyncClient(transport=transport, base_url=URL)


async def test_mails_are_given_newest_first_and_by_recipient(mailbox: Mailbox) -> None:
    mails = [_mail(1), _mail(2, to="bo@x.example"), _mail(3)]
    for mail in mails:
        await mailbox.deliver(mail)
    assert await mailbox.newest() == mails[::-1]
    assert await mailbox.newest("BO@x.example") == [mails[1]]


async def test_a_mail_is_a_file_that_only_its_owner_reads(mailbox: Mailbox, tmp_path: Path) -> None:
    await mailbox.deliver(_mail(1))
    [path] = (tmp_path / "mailbox").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert Mail.from_json(path.read_text()) == _mail(1)


async def test_only_the_newest_mails_are_kept(mailbox: Mailbox) -> None:
    for number in range(KEPT_MAILS + 2):
        await mailbox.deliver(_mail(number))
    kept = await mailbox.newest()
    assert len(kept) == KEPT_MAILS
    assert kept[-1].id == "m2"


async def test_files_that_are_not_mails_are_ignored(mailbox: Mailbox, tmp_path: Path) -> None:
    await mailbox.deliver(_mail(1))
    (tmp_path / "mailbox" / "note.json").write_text("[]")
    assert await mailbox.newest() == [_mail(1)]


async def test_the_page_shows_codes_and_links_and_runs_nothing(
    mailbox: Mailbox, browser: httpx.AsyncClient
) -> None:
    assert "No mail yet." in (await browser.get("")).text
    await mailbox.deliver(_mail(1, to="<script>@x.example"))
    answer = await browser.get("")
    assert "123456" in answer.text
    assert f'href="{GATEWAY}/auth/v1/verify?a=1&amp;b=2"' in answer.text
    assert "<script>" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_scripts_read_and_clear_it(mailbox: Mailbox, browser: httpx.AsyncClient) -> None:
    await mailbox.deliver(_mail(1))
    answer = await browser.get("/messages", params={"to": "ada@x.example"})
    assert [mail["code"] for mail in answer.json()["messages"]] == ["123456"]
    assert (await browser.delete("/messages")).status_code == 204
    assert (await browser.get("/messages")).json() == {"messages": []}


@pytest.mark.parametrize(
    "headers",
    [{"Host": "rebound.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": ""}],
)
async def test_other_sites_cannot_read_it(
    mailbox: Mailbox, browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await mailbox.deliver(_mail(1))
    for path in ("", "/messages"):
        answer = await browser.get(path, headers=headers)
        assert answer.status_code == 403
        assert "123456" not in answer.text


@pytest.mark.parametrize("address", ["", "/wrong", "/the-secre", "/the-secret2", "/%FF", "/messages"])
async def test_without_the_secret_there_is_nothing(
    mailbox: Mailbox, browser: httpx.AsyncClient, address: str
) -> None:
    await mailbox.deliver(_mail(1))
    for path in ("", "/", "/messages"):
        answer = await browser.get(f"http://127.0.0.1:54324{address}{path}")
        assert answer.status_code == 404
        assert "123456" not in answer.text
    assert (await browser.delete("http://127.0.0.1:54324/wrong/messages")).status_code == 404
    assert len(await mailbox.newest()) == 1


async def test_no_page_of_another_origin_may_read_it(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/messages")
    assert "access-control-allow-origin" not in answer.headers
