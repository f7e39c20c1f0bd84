"""The migration that `init` writes: one file of a version, newer than all others."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from livetables.database.migration import DATABASE_VERSION, migration, write
from livetables.errors import ProjectError

NOW = datetime(2026, 12, 2, 8, 30, tzinfo=UTC)
CHECKSUMS = {1: "4dd2be55fa8c6615"}
"""Of the SQL of each version. Who has a version is not given another text of it: raise `DATABASE_VERSION`."""


def new_project(folder: Path) -> Path:
    (folder / "supabase" / "migrations").mkdir(parents=True)
    return folder


def test_each_version_has_one_text() -> None:
    assert hashlib.sha256(migration().encode()).hexdigest()[:16] == CHECKSUMS[DATABASE_VERSION]


@pytest.mark.parametrize("inside", ["", "supabase", "supabase/migrations"])
def test_it_is_written_where_the_cli_looks(tmp_path: Path, inside: str) -> None:
    written = write(new_project(tmp_path) / inside, NOW)
    assert written.new
    assert written.path == tmp_path / "supabase" / "migrations" / "20261202083000_livetables.sql"
    assert written.path.read_text() == migration()


def test_a_project_that_has_this_version_is_left_alone(tmp_path: Path) -> None:
    first = write(new_project(tmp_path), NOW)
    second = write(tmp_path, NOW)
    assert (second.path, second.new) == (first.path, False)
    assert len(list(first.path.parent.iterdir())) == 1


def test_an_older_version_gets_a_new_file_that_comes_last(tmp_path: Path) -> None:
    folder = new_project(tmp_path) / "supabase" / "migrations"
    (folder / "20991231235959_livetables.sql").write_text("-- livetables: database version 0\n")
    assert write(tmp_path, NOW).path.name == "20991231235960_livetables.sql"


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    folder = new_project(tmp_path) / "supabase" / "migrations"
    (folder / "20261202083000_livetables.sql").write_text("-- livetables: database version 99\n")
    with pytest.raises(ProjectError, match=r"version 99 .* Upgrade streamlit-livetables"):
        write(tmp_path, NOW)


def test_a_project_without_migrations_gets_the_folder(tmp_path: Path) -> None:
    (tmp_path / "config.toml").touch()
    assert write(tmp_path, NOW).path.parent == tmp_path / "migrations"


@pytest.mark.parametrize(
    ("inside", "said"), [("", "is no Supabase project"), ("nowhere", "There is no folder")]
)
def test_a_folder_that_is_no_project_is_refused(tmp_path: Path, inside: str, said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        write(tmp_path / inside, NOW)
