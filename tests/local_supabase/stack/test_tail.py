from itertools import islice
from pathlib import Path

import pytest

from local_supabase.stack.datadir import DataDir
from local_supabase.stack.tail import show


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    folder = DataDir(tmp_path / "data")
    folder.prepare()
    return folder


def test_the_last_lines_of_each_part_are_shown(data_dir: DataDir) -> None:
    (data_dir.logs / "gateway.log").write_text("one\ntwo\nthree\n")
    (data_dir.logs / "postgres.log").write_text("ready\n")
    assert list(show(data_dir, lines=2)) == ["gateway: two", "gateway: three", "postgres: ready"]
    assert list(show(data_dir, ("postgres",), lines=0)) == []


def test_what_is_added_follows_also_after_the_log_was_cut(data_dir: DataDir) -> None:
    log = data_dir.logs / "gateway.log"
    log.write_text("old line of the log\n")
    following = show(data_dir, ("gateway",), lines=1, follow=True)
    assert next(following) == "gateway: old line of the log"
    with log.open("a") as file:
        file.write("half")
    log.write_text("new\nnewer\n")
    assert list(islice(following, 2)) == ["gateway: new", "gateway: newer"]
