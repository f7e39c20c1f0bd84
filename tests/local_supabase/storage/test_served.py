import re
import shutil
import subprocess
import threading
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.storage.served import asked_name, attachment, content_type, is_shown

NAMES = [
    # What is asked for, what clients that know RFC 8187 save, and what others save.
    ("report.pdf", "report.pdf", "report.pdf"),
    ("my file.pdf", "my file.pdf", "my file.pdf"),
    ("a; b, c=d.pdf", "a; b, c=d.pdf", "a; b, c=d.pdf"),
    ("it's (1).pdf", "it's (1).pdf", "it's (1).pdf"),
    ("100%25.pdf", "100%25.pdf", "100%25.pdf"),
    ('the "best".pdf', 'the "best".pdf', "the _best_.pdf"),
    ("back\\slash.pdf", "back_slash.pdf", "back_slash.pdf"),
    ("../etc/passwd", ".._etc_passwd", ".._etc_passwd"),
    ("two\r\nlines\0.pdf", "twolines.pdf", "twolines.pdf"),
    ("résumé.pdf", "résumé.pdf", "resume.pdf"),
    ("документ.pdf", "документ.pdf", "________.pdf"),
    ("日本語.pdf", "日本語.pdf", "___.pdf"),
    ("cod\u202efdp.exe", "codfdp.exe", "codfdp.exe"),
    ("x" * 300 + ".pdf", "x" * 196 + ".pdf", "x" * 196 + ".pdf"),
]


def _in_python(header: str) -> str:
    message = EmailMessage(policy.HTTP)
    message["Content-Disposition"] = header
    name = message["Content-Disposition"].params["filename"]
    assert isinstance(name, str)
    return name


@pytest.mark.parametrize(("name", "exact", "simple"), NAMES)
def test_a_download_is_saved_under_its_name(name: str, exact: str, simple: str) -> None:
    header = attachment(name)
    assert _in_python(header) == exact
    found = re.search(r'; filename="([^"\\]*)"$', header)
    assert found is not None
    assert found[1] == simple


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("my file.pdf", "my file.pdf"),
        ("my%20file.pdf", "my file.pdf"),
        ("%C3%A4.pdf", "ä.pdf"),
        ("100% sure.pdf", "100% sure.pdf"),
        ("%E4.pdf", "%E4.pdf"),
    ],
)
def test_a_name_that_was_encoded_twice_is_decoded(value: str, name: str) -> None:
    assert asked_name(value) == name


def test_without_a_name_the_client_chooses() -> None:
    assert attachment("") == attachment("\r\n") == "attachment"


@given(st.text())
def test_no_name_breaks_the_header(name: str) -> None:
    header = attachment(name)
    assert re.fullmatch(
        r"attachment(; filename\*=UTF-8''[!#$&+\-.^_`|~%\w]+)?(; filename=\"[ -~]*\")?", header
    )
    assert header.isascii()
    if header != "attachment":
        assert not {"/", "\\", "\0", "\n"} & set(_in_python(header))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_saves_under_the_simple_name(tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Disposition", attachment(NAMES[int(self.path[1:])][0]))
            self.end_headers()

        def log_request(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        urls = [f"http://127.0.0.1:{server.server_port}/{number}" for number in range(len(NAMES))]
        subprocess.run(
            ["curl", "-sS", "--remote-header-name", "--remote-name-all", *urls], cwd=tmp_path, check=True
        )
        server.shutdown()
    assert {path.name for path in tmp_path.iterdir()} == {simple for _, _, simple in NAMES}


@pytest.mark.parametrize(
    ("mime_type", "served"),
    [
        ("", "application/octet-stream"),
        ("text/HTML", "text/plain"),
        ("application/xhtml+xml", "text/plain"),
        ("image/png\r\nx: y", "image/pngx: y"),
        ("text/csv; charset=utf-8", "text/csv; charset=utf-8"),
    ],
)
def test_the_content_type(mime_type: str, served: str) -> None:
    assert content_type(mime_type) == served


def test_only_listed_types_are_shown() -> None:
    assert is_shown(" Image/PNG ; q=1")
    assert not is_shown("image/svg+xml")
    assert not is_shown("text/plain,text/html")
