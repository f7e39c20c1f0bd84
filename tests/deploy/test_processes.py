"""Programs that run together: their output, their restarts, and their common end."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.processes import Child, app, free_ports
from tests.support.wait import wait_until

STAYS = "import signal; print('here', flush=True); signal.pause()"


def program(text: str, *arguments: object, name: str = "one") -> Child:
    return Child(name, [sys.executable, "-c", text, *map(str, arguments)])


async def run_until(children: Sequence[Child], what: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run programs until something was printed; end them, and return all that was printed."""
    stop, printed = asyncio.Event(), ""

    def is_printed() -> bool:
        nonlocal printed
        printed += capsys.readouterr().out
        return what in printed

    async with asyncio.TaskGroup() as tasks:
        for child in children:
            tasks.create_task(child.keep_running(stop))
        await wait_until(is_printed, what=what)
        stop.set()
        for child in children:
            child.end()
    return printed + capsys.readouterr().out


async def test_every_line_says_who_has_printed_it(capsys: pytest.CaptureFixture[str]) -> None:
    other = program("print('two lines\\nof mine', flush=True);" + STAYS, name="other")
    printed = await run_until([other], "other | here", capsys)
    assert printed.splitlines()[:2] == ["other | two lines", "other | of mine"]


async def test_a_program_that_fails_at_once_ends_everything(capsys: pytest.CaptureFixture[str]) -> None:
    stop = asyncio.Event()
    broken = program("import sys; print('wrong setting'); sys.exit(3)")
    await broken.keep_running(stop)
    assert (stop.is_set(), broken.failed) == (True, True)
    printed = capsys.readouterr().out
    assert "one | wrong setting" in printed
    assert "one has ended with 3 right after its start. Its last lines say why." in printed


async def test_a_program_that_has_worked_is_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import pathlib, sys; mark = pathlib.Path(sys.argv[1]); "
    text += "mark.touch() or sys.exit(9) if not mark.exists() else None;"
    child = program(text + STAYS, tmp_path / "mark")
    child.works = True
    printed = await run_until([child], "one | here", capsys)
    assert "one has ended with 9, and is started again." in printed
    assert not child.failed


async def test_a_line_without_end_does_not_stop_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    printed = await run_until([program("print('x' * 3_000_000);" + STAYS)], "one | here", capsys)
    assert "one | here" in printed


def test_each_process_has_a_port_that_only_this_machine_reaches() -> None:
    ports = free_ports(3)
    commands = [app(number, port, {}).command for number, port in enumerate(ports, start=1)]
    assert len(set(ports)) == 3
    for command, port in zip(commands, ports, strict=True):
        assert {"--server.address=127.0.0.1", f"--server.port={port}"} <= set(command)
