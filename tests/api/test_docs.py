"""The examples in docs/api.md work as written."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.support.app import PROJECT, AppUnderTest
from tests.support.people import Person

DOCUMENT = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_examples_for_curl_work(
    server: AppUnderTest, stack: StackInfo, bob: Person, tmp_path: Path
) -> None:
    before_streams, _, _ = DOCUMENT.partition("## Streams")  # whose examples never end
    script = "\n".join(re.findall(r"```sh\n(.*?)```", before_streams, flags=re.S))
    assert script.count("curl") == 7
    place = {"TAVERN": server.url, "SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
    # The script cancels the run before it retries it, because only a finished run can be retried.
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, **place, "EMAIL": bob.email, "PASSWORD": bob.password},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    run = json.loads((tmp_path / "started.json").read_text())["run_id"]
    (again,) = bob.client.table("agent_runs").select("task_id, metadata").eq("retry_of", run).execute().data
    assert again == {"task_id": "nightly check", "metadata": {"options": {"pattern": "docs/*", "pace": 0.1}}}


def test_every_setting_is_documented() -> None:
    source = "".join(path.read_text() for path in (PROJECT / "api").glob("*.py"))
    settings = set(re.findall(r'"(API_[A-Z]+)"', source))
    assert settings
    assert {name for name in settings if f"`{name}`" not in DOCUMENT} == set()
