"""Two test processes drive browsers, and the others take the other tests as long as there are any."""

import subprocess
import sys
from pathlib import Path

FOUR_TESTS = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_something(number):
    pass
"""


def test_browser_tests_start_in_two_processes_and_the_third_takes_others(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.support.scheduling import scheduler as pytest_xdist_make_scheduler"
    )
    for folder in ("browser", "others"):
        (tmp_path / "tests" / folder).mkdir(parents=True)
        for number in range(6):
            (tmp_path / "tests" / folder / f"test_{folder}_{number}.py").write_text(FOUR_TESTS)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    assert "48 passed" in run.stdout, run.stdout + run.stderr
    assert "waiting for node" not in run.stdout
    lines = run.stdout.splitlines()
    first = [next(line for line in lines if line.startswith(f"[gw{number}]")) for number in range(3)]
    assert ["tests/browser" in line for line in first].count(True) == 2, first
