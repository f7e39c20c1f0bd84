from pathlib import Path

import httpx
import pytest

from local_supabase.errors import ProjectError
from local_supabase.stack.config import (
    ApiConfig,
    Config,
    load_config,
    seed_files,
)
from tests.local_supabase.launch import launched, make_project


def project_with(folder: Path, text: str) -> Path:
    (folder / "config.toml").write_text(text)
    return folder


def test_without_a_file_the_clis_defaults_apply(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config(port=54321, database_port=54322)


def test_supported_settings_are_followed(tmp_path: Path) -> None:
    project = project_with(
        tmp_path,
        """
        project_id = "mine"
        [api]
        port = 5000
        schemas = ["public", "api"]
        extra_search_path = ["extensions"]
        max_rows = 50
        [db]
        port = 5001
        [db.seed]
        sql_paths = ["./seeds/*.sql"]
        [functions.hello]
        verify_jwt = false
        [storage.buckets.avatars]
        public = true
        """,
    )
    assert load_config(project) == Config(
        port=5000,
        database_port=5001,
        api=ApiConfig(("public", "api"), ("extensions",), 50),
        seeds=("./seeds/*.sql",),
    )


def test_unsupported_settings_are_listed(tmp_path: Path) -> None:
    project = project_with(
        tmp_path,
        """
        [api.tls]
        enabled = true
        [auth]
        site_url = "http://localhost"
        [auth.external.github]
        enabled = true
        [studio]
        port = 1
        [functions.hello]
        inspector = true
        """,
    )
    assert load_config(project).ignored == ("api.tls", "auth.external", "studio", "functions.hello.inspector")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[api", "cannot be read"),
        ("[api]\nport = '80'", "api.port must be a whole number"),
        ("[api]\nport = -1", "api.port must be a whole number"),
        ("[api]\nschemas = 'public'", "api.schemas must be a list of texts"),
        ("[db.seed]\nenabled = 1", "db.seed.enabled must be true or false"),
        ("db = 1", "db must be a table"),
    ],
)
def test_a_setting_of_the_wrong_type_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ProjectError, match=complaint):
        load_config(project_with(tmp_path, text))


def test_seed_files_run_in_the_order_of_their_patterns(tmp_path: Path) -> None:
    for name in ("b.sql", "a.sql", "first.sql"):
        (tmp_path / name).write_text("")
    config = Config(seeds=("./first.sql", "*.sql", "nothing/*.sql"))
    assert [path.name for path in seed_files(tmp_path, config)] == ["first.sql", "a.sql", "b.sql"]


def test_a_stack_follows_its_configuration(tmp_path: Path) -> None:
    project = make_project(
        tmp_path / "project", "create table public.notes (id int);", seed="select nonsense;"
    )
    text = "[db.seed]\nenabled = false\n[storage]\nenabled = false\n[studio]\nenabled = true\n"
    with launched(project_with(project, text), tmp_path / "data") as stack:
        assert "not supported and ignored: studio" in stack.output
        response = httpx.get(f"{stack.value('SUPABASE_URL')}/storage/v1/bucket")
        assert response.status_code == 501
