from pathlib import Path

from local_supabase.extensions.privileged import write_control_files

CONTROL = "comment = 'x'\ndefault_version = '1.2'\nmodule_pathname = '$libdir/x'\nrelocatable = true\n"


def test_a_privileged_extension_becomes_trusted_and_keeps_its_scripts(tmp_path: Path) -> None:
    (tmp_path / "it's").mkdir()
    (tmp_path / "written").mkdir()
    (tmp_path / "it's" / "postgres_fdw.control").write_text(CONTROL)
    write_control_files(tmp_path / "it's", tmp_path / "written")
    text = (tmp_path / "written" / "postgres_fdw.control").read_text()
    assert text == f"{CONTROL}trusted = true\ndirectory = '{tmp_path}/it''s'\n"


def test_other_extensions_stay_with_superusers(tmp_path: Path) -> None:
    (tmp_path / "installed").mkdir()
    (tmp_path / "written").mkdir()
    (tmp_path / "installed" / "file_fdw.control").write_text(CONTROL)
    write_control_files(tmp_path / "installed", tmp_path / "written")
    assert not list((tmp_path / "written").iterdir())


def test_what_an_older_version_wrote_goes(tmp_path: Path) -> None:
    (tmp_path / "installed").mkdir()
    (tmp_path / "written").mkdir()
    (tmp_path / "written" / "hstore.control").write_text(CONTROL)
    write_control_files(tmp_path / "installed", tmp_path / "written")
    assert not list((tmp_path / "written").iterdir())
