import os
from pathlib import Path

import pytest

from local_supabase.testing.stacks import CACHE_VARIABLE, default_cache, fingerprint
from tests.local_supabase.launch import make_project


def test_what_is_prepared_depends_on_migrations_seed_and_configuration(tmp_path: Path) -> None:
    project = make_project(tmp_path / "supabase", "select 1;", seed="select 2;")
    found = [fingerprint(project)]
    for path, text in (("migrations/20260101000001_step_1.sql", "select 3;"), ("seed.sql", "select 4;")):
        (project / path).write_text(text)
        found.append(fingerprint(project))
    (project / "config.toml").write_text("[api]\nmax_rows = 5\n")
    found.append(fingerprint(project))
    assert len(set(found)) == 4
    (project / "README.md").write_text("Not part of the database.")
    assert fingerprint(project) == found[-1]


def test_the_cache_is_the_users_unless_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    assert default_cache() == tmp_path / "own" / "local-supabase"
    monkeypatch.setitem(os.environ, CACHE_VARIABLE, str(tmp_path / "named"))
    assert default_cache() == tmp_path / "named"
