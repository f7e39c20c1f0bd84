import re
import shlex
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "local-supabase"
PLUGIN = [
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "-p",
    "local_supabase.testing.plugin",
    "-p",
    "no:cacheprovider",
]
SETTINGS = ["-c", str(EXAMPLE / "pyproject.toml"), "--rootdir", str(EXAMPLE)]


def run(*options: str, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PLUGIN, *SETTINGS, *options],
        cwd=EXAMPLE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LOCAL_SUPABASE_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )


# Three stacks start.
@pytest.mark.timeout(400)
def test_workers_that_start_together_have_a_stack_each_which_can_be_kept(tmp_path: Path) -> None:
    tested = run("-n2", "-k", "only_own or manager", "--supabase-keep", cache=tmp_path)
    stops = re.findall(r"stop it with: python (.*)", tested.stdout)
    urls = re.findall(r"DATABASE_URL=(\S+)", tested.stdout)
    try:
        assert "2 passed" in tested.stdout, tested.stdout + tested.stderr
        assert len(set(urls)) == 2, tested.stdout
        assert [_titles(url) for url in urls] == [["water the plants"]] * 2
        assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    finally:
        for stop in stops:
            stopped = subprocess.run([sys.executable, *shlex.split(stop)], cwd=ROOT, check=False)
            assert stopped.returncode == 0


def _titles(url: str) -> list[str]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select title from public.tasks")
            return [title for (title,) in cursor.fetchall()]
    finally:
        connection.close()
