import hashlib
from pathlib import Path

import pytest

from local_supabase.storage.files import FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path)
    store.prepare()
    return store


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_file_has_its_name_only_when_it_is_whole(store: FileStore, tmp_path: Path) -> None:
    draft = store.new_draft()
    draft.write(b"hello ")
    draft.write(b"world")
    with pytest.raises(FileNotFoundError):
        store.open(draft.version)
    stored = draft.finish()
    assert stored.size == 11
    assert stored.etag == f'"{hashlib.md5(b"hello world").hexdigest()}"'
    with store.open(stored.version) as file:
        assert file.read() == b"hello world"
    assert _files(tmp_path) == [store.path(stored.version)]


def test_a_discarded_file_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    store.new_draft().discard()
    finished = store.new_draft()
    finished.finish()
    finished.discard()
    assert _files(tmp_path) == []


def test_uploads_cut_off_by_a_crash_are_deleted(store: FileStore, tmp_path: Path) -> None:
    draft = store.new_draft()
    draft.write(b"half")
    FileStore(tmp_path).prepare()
    assert _files(tmp_path) == []
    draft.discard()


def test_a_copy_lives_on_without_its_original(store: FileStore) -> None:
    draft = store.new_draft()
    draft.write(b"same")
    original = draft.finish()
    copied = store.copy(original.version)
    store.delete(original.version)
    with store.open(copied) as file:
        assert file.read() == b"same"
    assert set(store.versions(older_than=-60)) == {copied}
    assert set(store.versions(older_than=60)) == set()


@pytest.mark.parametrize("name", ["../secrets.json", "a/b", "", "/etc/passwd", "x" * 36])
def test_only_versions_are_names_of_files(store: FileStore, name: str) -> None:
    for use in (store.open, store.delete, store.copy):
        with pytest.raises(ValueError, match="hexadecimal UUID"):
            use(name)
