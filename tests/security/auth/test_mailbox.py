"""The mailbox, whose codes open every account, as another user of the machine tries to read it."""

import os
import subprocess
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from local_supabase.keys import load_keys
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo

ADMIN = "ada@tavern.example"


@pytest.fixture(scope="module")
def code(stack: StackInfo) -> str:
    """Have a recovery mail sent to an admin and return its code."""
    answer = httpx.post(
        f"{stack.url}/auth/v1/recover", json={"email": ADMIN}, headers={"apikey": stack.anon_key}
    )
    assert answer.status_code == 200, answer.text
    mails = httpx.get(f"{stack.mailbox_url}/messages", params={"to": ADMIN}).json()["messages"]
    newest: str = mails[0]["code"]
    return newest


def test_the_gateway_shows_no_mail(stack: StackInfo, code: str) -> None:
    headers = {"apikey": stack.anon_key}
    for path in ("/mailbox", "/mailbox/messages"):
        answer = httpx.get(f"{stack.url}{path}", headers=headers)
        assert answer.status_code == 404
        assert code not in answer.text


def test_the_mailboxes_port_shows_nothing_without_the_secret(stack: StackInfo, code: str) -> None:
    parts = urlsplit(stack.mailbox_url)
    assert parts.port != urlsplit(stack.url).port
    assert len(parts.path) > 30
    guesses = ("", "/", "/messages", "/mailbox", "/mailbox/messages", parts.path[:-1], "/health")
    for path in guesses:
        answer = httpx.get(f"{parts.scheme}://{parts.netloc}{path}", headers={"apikey": stack.anon_key})
        assert answer.status_code == 404
        assert code not in answer.text


def test_the_secret_is_in_no_command_line_and_no_log(stack: StackInfo, code: str) -> None:
    secret = load_keys(DataDir(stack.data_dir)).mailbox_secret
    assert secret in stack.mailbox_url
    logs = "".join(path.read_text(errors="replace") for path in DataDir(stack.data_dir).logs.iterdir())
    assert secret not in logs
    assert code not in logs
    for process in psutil.process_iter(["cmdline"]):
        assert secret not in " ".join(process.info["cmdline"] or [])


def test_the_files_are_closed_to_other_users(stack: StackInfo, code: str) -> None:
    data_dir = DataDir(stack.data_dir)
    # Postgres runs as another user when root starts the stack, and must get through to its own folder.
    assert data_dir.root.stat().st_mode & 0o066 == 0
    for path in (data_dir.mailbox, data_dir.secrets, data_dir.state, *data_dir.mailbox.glob("*.json")):
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_cannot_read_the_address_or_the_mails(stack: StackInfo, code: str) -> None:
    paths = [path for path in stack.data_dir.rglob("*") if path.is_file()]
    assert paths
    found = subprocess.run(
        ["/bin/cat", *paths],
        capture_output=True,
        user="nobody",
        group="nogroup",
        extra_groups=[],
        cwd="/",
        check=False,
    )
    assert code.encode() not in found.stdout
    assert stack.mailbox_url.encode() not in found.stdout
