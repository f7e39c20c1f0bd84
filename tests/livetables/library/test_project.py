"""Which project an app uses."""

from pathlib import Path

import pytest

from livetables.config import EngineConfig
from livetables.errors import ProjectError
from livetables.library import project

URL = "https://abc.supabase.co"


def test_arguments_go_before_settings_and_there_may_be_neither() -> None:
    values = {"SUPABASE_URL": "https://other.supabase.co/", "SUPABASE_KEY": "other"}
    assert project.named(values, URL, "key") == EngineConfig(URL, "key")
    assert project.named(values, None, None) == EngineConfig("https://other.supabase.co", "other")
    assert project.named({}, None, None) is None


@pytest.mark.parametrize("name", project.KEYS)
def test_a_key_has_several_names(name: str) -> None:
    assert project.named({"SUPABASE_URL": URL, name: "key"}, None, None) == EngineConfig(URL, "key")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"SUPABASE_URL": URL}, "SUPABASE_KEY is not"),
        ({"SUPABASE_URL": "abc", "SUPABASE_KEY": "key"}, "is no address"),
        ({"SUPABASE_URL": URL, "SUPABASE_KEY": "sb_secret_x"}, "is a secret key"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, str], told: str) -> None:
    with pytest.raises(ProjectError, match=told):
        project.named(values, None, None)


def test_the_environment_names_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", URL)
    monkeypatch.setenv("SUPABASE_ANON_KEY", "key")
    assert dict(project.settings()) == {"SUPABASE_URL": URL, "SUPABASE_ANON_KEY": "key"}


def test_a_folder_is_beside_the_script_or_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("app", "work"):
        (tmp_path / name / "supabase" / "migrations").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    beside = project.folder_of("supabase", str(tmp_path / "app" / "app.py"))
    assert beside == tmp_path / "app" / "supabase"
    assert project.folder_of("supabase", None) == tmp_path / "work" / "supabase"
    with pytest.raises(ProjectError, match=r"There is no folder .*nothing"):
        project.folder_of("nothing", None)
