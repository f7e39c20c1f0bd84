"""Runs the checks of supabase_js_test.ts, which use the unchanged supabase-js."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from local_supabase.functions.deno import find_deno
from tests.support.stack import running_stack

HERE = Path(__file__).parent
SCRIPT = HERE / "supabase_js_test.ts"
OPTIONS = ["test", "--quiet", "--no-lock", "--no-config", "--no-check", "--allow-all", "--reporter=junit"]
NAMES = re.findall(r'^check\("(.+?)"', SCRIPT.read_text(), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The failure of each check by its name; empty for a check that passed."""
    folder = tmp_path_factory.mktemp("second-client")
    _fetch_client()
    with running_stack(folder / "data", HERE / "supabase") as stack:
        done = subprocess.run(
            [find_deno(), *OPTIONS, SCRIPT],
            env={
                **os.environ,
                "NO_COLOR": "1",
                "DENO_NO_UPDATE_CHECK": "1",
                "SUPABASE_URL": stack.url,
                "SUPABASE_KEY": stack.anon_key,
                "SUPABASE_SERVICE_KEY": stack.service_key,
            },
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    assert "<testsuites" in done.stdout, done.stderr
    report = ET.fromstring(done.stdout[done.stdout.index("<?xml") :])
    return {
        str(case.get("name")): "\n".join(
            f"{each.get('message')}\n{each.text}" for each in case.findall("failure")
        )
        for case in report.iter("testcase")
    }


def _fetch_client() -> None:
    """Download supabase-js, or skip the tests if the npm registry cannot be reached."""
    fetched = subprocess.run(
        [find_deno(), "cache", "--quiet", "--no-lock", "--no-config", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode and "error sending request" in fetched.stderr:
        pytest.skip("The npm registry cannot be reached, so there is no supabase-js to test with.")
    assert fetched.returncode == 0, fetched.stderr


@pytest.mark.parametrize("name", NAMES)
def test_supabase_js(outcomes: Mapping[str, str], name: str) -> None:
    assert outcomes.get(name, "It did not run.") == ""
