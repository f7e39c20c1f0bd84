"""The command line: what it prints, and its exit codes."""

from pathlib import Path

import pytest

from livetables.database.commands import main
from livetables.database.migration import migration
from local_supabase.stack.runtime import StackInfo
from tests.livetables.database.tables import ITEMS
from tests.supabase_schema.database import session


def test_init_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "supabase" / "migrations").mkdir(parents=True)
    assert main(["init", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "_livetables.sql" in said
    assert "select livetables.watch('items');" in said
    assert main(["init", str(tmp_path)]) == 0
    assert "Nothing was written" in capsys.readouterr().out


def test_init_prints_for_the_sql_editor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--print"]) == 0
    assert capsys.readouterr().out == migration()


def test_init_refuses_a_folder_that_is_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == 2
    assert "is no Supabase project" in capsys.readouterr().err


def test_check_names_table_and_mend_and_fails(plain: StackInfo, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--url", plain.url, "--key", plain.anon_key, "itmes"]) == 1
    assert capsys.readouterr().out.startswith("error: There is no table itmes in the schema public.")


def test_check_lists_what_is_live(plain: StackInfo, capsys: pytest.CaptureFixture[str]) -> None:
    with session(plain.database_url) as owner:
        owner.run(ITEMS + "select livetables.watch('items')")
        owner.commit()
        try:
            assert main(["check", "--database", plain.database_url]) == 0
        finally:
            owner.run("drop table public.items")
            owner.commit()
    assert capsys.readouterr().out == "items: live, public, key id, version version\n"


def test_check_without_a_watched_table_says_how_to_begin(
    plain: StackInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--database", plain.database_url]) == 1
    assert "select livetables.watch('name');" in capsys.readouterr().out


def test_check_needs_something_to_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SUPABASE_URL", raising=False)
    assert main(["check"]) == 2
    assert "--url and --key" in capsys.readouterr().err


def test_check_of_a_project_folder_needs_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--project", str(tmp_path / "nowhere")]) == 2
    assert "There is no folder" in capsys.readouterr().err
