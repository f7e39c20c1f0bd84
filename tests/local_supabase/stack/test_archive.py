import json
import shutil
import stat
import tarfile
from pathlib import Path

import httpx
import pytest

from local_supabase.errors import DataFolderError
from local_supabase.keys import load_keys
from local_supabase.stack import migrate, ports
from local_supabase.stack.archive import dump, restore
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.migrate import BOOTSTRAP
from local_supabase.stack.postgres import Server
from tests.local_supabase.launch import launched, make_project, run

FIRST = ("10", "15", "20", "30", "40", "50", "60")
"""How the names of the first version's bootstrap files begin."""

NOTES = """
create table public.notes (body text);
grant select on public.notes to anon;
insert into public.notes values ('kept');
insert into storage.buckets (id, name, public) values ('files', 'files', true);
"""


def test_a_running_stack_moves_to_another_folder_with_its_files_and_keys(tmp_path: Path) -> None:
    project, file = make_project(tmp_path / "project", NOTES), tmp_path / "stack.tar.gz"
    with launched(project, tmp_path / "first") as stack:
        key = {"Authorization": f"Bearer {stack.value('SUPABASE_SERVICE_KEY')}"}
        url = stack.value("SUPABASE_URL")
        sent = httpx.post(f"{url}/storage/v1/object/files/a.txt", content=b"a", headers=key)
        assert sent.is_success, sent.text
        dumped = run("dump", project, tmp_path / "first", str(file))
        assert dumped.returncode == 0, dumped.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        twice = run("dump", project, tmp_path / "first", str(file))
        assert "exists; choose another name" in twice.stderr
        stack.sql("delete from public.notes")
        secrets = stack.value("SUPABASE_KEY")
    restored = run("restore", project, tmp_path / "second", str(file))
    assert restored.returncode == 0, restored.stderr
    with launched(project, tmp_path / "second") as stack:
        assert stack.value("SUPABASE_KEY") == secrets
        assert stack.sql("select body from public.notes") == [("kept",)]
        found = httpx.get(f"{stack.value('SUPABASE_URL')}/storage/v1/object/public/files/a.txt")
        assert found.text == "a"


def test_a_folder_of_the_first_version_moves_and_is_brought_up_to_date(tmp_path: Path) -> None:
    old, file = DataDir(tmp_path / "old"), tmp_path / "old.tar.gz"
    _make_first_version(old, tmp_path / "bootstrap")
    dump(old, file)
    restore(DataDir(tmp_path / "new"), file)
    with launched(make_project(tmp_path / "project"), tmp_path / "new") as stack:
        assert stack.sql("select body from public.notes") == [("kept",)]
        address = f"{stack.value('SUPABASE_URL')}/rest/v1/notes"
        answer = httpx.get(address, headers={"apikey": stack.value("SUPABASE_KEY")})
        assert answer.json() == [{"body": "kept"}]
        assert stack.sql("select usesuper from pg_user where usename = current_user") == [(False,)]
        applied = stack.sql("select name from _local_supabase.bootstrap order by name", superuser=True)
    assert [name for (name,) in applied] == sorted(path.name for path in BOOTSTRAP.glob("*.sql"))


def _make_first_version(folder: DataDir, bootstrap: Path) -> None:
    """Make a data folder as the first version did: without what later versions added."""
    bootstrap.mkdir()
    for path in BOOTSTRAP.glob("*.sql"):
        if path.name[:2] in FIRST:
            shutil.copy(path, bootstrap)
    folder.prepare()
    server = Server(folder, load_keys(folder))
    server.create()
    server.start(ports.free_port(0, 0))
    try:
        with server.session() as connection:
            migrate.bootstrap(connection, bootstrap)
            with connection.cursor() as cursor:
                cursor.execute(NOTES)
    finally:
        server.stop()
    secrets = json.loads(folder.secrets.read_text())
    del secrets["mailbox_secret"], secrets["passwords"]["supabase_realtime_authenticator"]
    folder.secrets.write_text(json.dumps(secrets))


def test_only_an_empty_folder_is_filled(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "data")
    folder.prepare()
    with pytest.raises(DataFolderError, match="has data"):
        restore(folder, tmp_path / "any.tar.gz")


def test_a_file_that_is_no_dump_leaves_nothing(tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as archive:
        archive.add(__file__, "postgres")
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(other.read_bytes()[:40])
    for file in (other, broken, tmp_path / "missing.tar.gz"):
        with pytest.raises(DataFolderError, match="dump of a stack"):
            restore(DataDir(tmp_path / "data"), file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.tar.gz", "other.tar.gz"]


def test_there_must_be_data_to_dump(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "data")
    folder.prepare()
    with pytest.raises(DataFolderError, match="There is no data"):
        dump(folder, tmp_path / "stack.tar.gz")
    assert not (tmp_path / "stack.tar.gz").exists()
