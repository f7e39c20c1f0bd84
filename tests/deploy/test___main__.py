"""The commands, as people type them."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import __main__ as command

PROJECT = Path(__file__).resolve().parents[2]


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["deploy", *arguments])
    command.main()


def test_without_nginx_the_message_says_how_to_get_it_or_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_nginx", lambda: None)
    with pytest.raises(SystemExit, match=r"nginx is not installed.*apt install nginx.*make run$"):
        call(monkeypatch, "run", "--workers", "2")


def test_a_port_that_is_taken_is_named_with_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_nginx", lambda: "/usr/sbin/nginx")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"Port {port} is taken.*make run WORKERS=3 PORT={port + 1}"):
            call(monkeypatch, "run", "--workers", "3", "--port", str(port))


@pytest.mark.parametrize("count", ["0", "-1", "65", "many", ""])
def test_a_number_of_processes_that_is_none_is_refused(
    count: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        call(monkeypatch, "run", f"--workers={count}")
    assert f"{count!r} is not a number of processes from 1 to 64" in capsys.readouterr().err


def test_the_configuration_can_be_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, "show", "127.0.0.1:8511", "127.0.0.1:8512", "--name", "tavern.example.org")
    printed = capsys.readouterr().out
    assert "server_name tavern.example.org;" in printed
    assert printed.count("server 127.0.0.1:8512 ") == 4


def test_make_run_starts_several_processes_only_if_asked() -> None:
    def planned(*settings: str) -> str:
        made = ["make", "--dry-run", "--always-make", "run", *settings]
        return subprocess.run(made, cwd=PROJECT, check=True, capture_output=True, text=True).stdout

    assert "-m deploy run --workers '3' --address 127.0.0.1 --port 8600" in planned("WORKERS=3", "PORT=8600")
    assert "-m deploy" not in planned()
    assert "streamlit run asgi.py --server.address=127.0.0.1 --server.port=8501" in planned()
