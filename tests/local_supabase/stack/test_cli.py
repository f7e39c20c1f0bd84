import json
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from tests.local_supabase.launch import Launched, execute, launched, make_project, run
from tests.local_supabase.test_keys import CLI_ANON_KEY, CLI_SECRET


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project"), "create table public.notes (id int);")


@pytest.fixture(scope="module")
def stack(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    with launched(
        project, tmp_path_factory.mktemp("stack") / "data", environment={"SUPABASE_JWT_SECRET": CLI_SECRET}
    ) as running:
        yield running


def test_start_prints_the_addresses_and_then_ready(stack: Launched) -> None:
    lines = stack.output.splitlines()
    assert lines[-1] == "ready"
    names = [line.partition("=")[0] for line in lines[-6:-1]]
    wanted = ["SUPABASE_URL", "SUPABASE_KEY", "SUPABASE_SERVICE_KEY", "DATABASE_URL", "MAILBOX_URL"]
    assert names == wanted


def test_the_secret_of_the_environment_signs_the_keys(stack: Launched) -> None:
    assert stack.value("SUPABASE_KEY") == CLI_ANON_KEY
    claims = jwt.decode(stack.value("SUPABASE_SERVICE_KEY"), CLI_SECRET, algorithms=["HS256"])
    assert claims["role"] == "service_role"


def test_the_database_url_is_a_connection_of_the_owner(stack: Launched) -> None:
    assert stack.sql("select current_user, usesuper from pg_user where usename = current_user") == [
        ("postgres", False)
    ]


def test_status_of_a_running_stack_shows_its_address(stack: Launched) -> None:
    result = run("status", stack.project, stack.data_dir.root)
    assert result.returncode == 0
    assert f"SUPABASE_URL={stack.value('SUPABASE_URL')}" in result.stdout


def test_status_prints_json_for_programs(stack: Launched) -> None:
    result = run("status", stack.project, stack.data_dir.root, "--json")
    report = json.loads(result.stdout)
    assert report["health"] == "healthy"
    assert report["url"] == stack.value("SUPABASE_URL")
    assert report["services"]["database"] == report["services"]["rest"] == "ok"
    assert report["disk_free"] > 0


def test_env_prints_what_other_programs_need(stack: Launched) -> None:
    plain = run("env", stack.project, stack.data_dir.root).stdout
    exported = run("env", stack.project, stack.data_dir.root, "--export").stdout
    values = json.loads(run("env", stack.project, stack.data_dir.root, "--json").stdout)
    assert values["SUPABASE_ANON_KEY"] == values["SUPABASE_KEY"] == stack.value("SUPABASE_KEY")
    assert f"DATABASE_URL={values['DATABASE_URL']}\n" in plain
    assert f"export SUPABASE_URL={values['SUPABASE_URL']}\n" in exported
    assert "SUPABASE_REWIND_URL" not in values


def test_logs_show_the_end_of_each_part(stack: Launched) -> None:
    shown = run("logs", stack.project, stack.data_dir.root, "gateway", "-n", "5").stdout.splitlines()
    assert 0 < len(shown) <= 5
    assert all(line.startswith("gateway: ") for line in shown)


def test_a_stack_that_keeps_its_data_does_not_go_back(stack: Launched) -> None:
    refused = run("rewind", stack.project, stack.data_dir.root)
    assert refused.returncode == 1
    assert "keeps its data" in refused.stderr


def test_a_stack_in_the_background_goes_back_when_it_is_for_tests(project: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    started = run("start", project, data_dir, "--background", "--testing", "--port=0", "--db-port=0")
    try:
        assert started.stdout.endswith("ready\n"), started.stderr
        values = json.loads(run("env", project, data_dir, "--json").stdout)
        execute(values["DATABASE_URL"], "insert into public.notes values (1)")
        assert run("rewind", project, data_dir).returncode == 0
        assert execute(values["DATABASE_URL"], "select count(*) from public.notes") == [(0,)]
        assert values["SUPABASE_REWIND_URL"].startswith(values["MAILBOX_URL"])
        again = run("start", project, data_dir, "--background")
        assert "already running" in again.stderr
    finally:
        assert run("stop", project, data_dir).stdout == "stopped\n"


def test_status_shows_why_a_start_failed(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "select nonsense;")
    assert run("start", project, tmp_path / "data", "--port=0", "--db-port=0").returncode == 1
    status = run("status", project, tmp_path / "data")
    assert status.returncode == 1
    assert "why: " in status.stdout
    assert 'column "nonsense" does not exist' in status.stdout


def test_reset_needs_a_confirmation(stack: Launched) -> None:
    result = run("reset", stack.project, stack.data_dir.root)
    assert result.returncode != 0
    assert "confirm it with --yes" in result.stderr
    assert stack.data_dir.is_running()


def test_status_and_stop_without_a_running_stack_fail(project: Path, tmp_path: Path) -> None:
    status = run("status", project, tmp_path / "data")
    assert (status.returncode, "stopped" in status.stdout) == (1, True)
    stop = run("stop", project, tmp_path / "data")
    assert stop.returncode != 0
    assert "No stack is running" in stop.stderr


def test_a_stack_keeps_its_data_until_reset(project: Path, tmp_path: Path) -> None:
    with launched(project, tmp_path / "data") as stack:
        stack.sql("insert into public.notes values (1)")
        assert run("stop", project, tmp_path / "data").returncode == 0
        assert stack.process.wait(10) == 0
    with launched(project, tmp_path / "data") as stack:
        assert stack.sql("select count(*) from public.notes") == [(1,)]
        assert run("reset", project, tmp_path / "data", "--yes").returncode == 0
    assert not stack.data_dir.root.exists()
    with launched(project, tmp_path / "data") as stack:
        assert stack.sql("select count(*) from public.notes") == [(0,)]
