"""The compressed copy is whole, or it is not there."""

import gzip
import json
from pathlib import Path

import brotli
import pytest

from frontend import files
from frontend.files import prepare

SCRIPT = b"export const text = 'again and again';\n" * 100


@pytest.fixture
def source(tmp_path: Path) -> Path:
    scripts = tmp_path / "source" / "static" / "js"
    scripts.mkdir(parents=True)
    (scripts / "index.abcdefgh.js").write_bytes(SCRIPT)
    (scripts / "font.abcdefgh.woff2").write_bytes(SCRIPT)
    (tmp_path / "source" / "index.html").write_text(
        '<script type="module" crossorigin src="./static/js/index.abcdefgh.js"></script>'
    )
    return tmp_path / "source"


def test_scripts_are_there_in_three_forms(source: Path, tmp_path: Path) -> None:
    copy = prepare(source, tmp_path / "copy")
    script = copy / "js" / "index.abcdefgh.js"
    assert script.read_bytes() == SCRIPT
    assert brotli.decompress(script.with_name("index.abcdefgh.js.br").read_bytes()) == SCRIPT
    assert gzip.decompress(script.with_name("index.abcdefgh.js.gz").read_bytes()) == SCRIPT


def test_what_is_compressed_already_stays_as_it_is(source: Path, tmp_path: Path) -> None:
    copy = prepare(source, tmp_path / "copy")
    assert [path.name for path in (copy / "js").glob("font*")] == ["font.abcdefgh.woff2"]


def test_a_copy_is_made_once(source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "copy")
    (source / "static" / "js" / "more.abcdefgh.js").write_bytes(SCRIPT)
    assert not (prepare(source, tmp_path / "copy") / "js" / "more.abcdefgh.js").exists()


def test_the_small_scripts_of_the_page_come_in_one_file(source: Path, tmp_path: Path) -> None:
    copy = prepare(source, tmp_path / "copy")
    (bundle,) = (copy / "js").glob("first.*.json")
    assert json.loads(bundle.read_text()) == {"index.abcdefgh.js": SCRIPT.decode()}
    assert bundle.with_name(f"{bundle.name}.br").exists()


def test_a_copy_that_came_to_nothing_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        raise OSError(f"No space left for {folder}")

    monkeypatch.setattr(files, "_compress", fail)
    with pytest.raises(OSError, match="No space left"):
        prepare(source, tmp_path / "copies" / "copy")
    assert list((tmp_path / "copies").iterdir()) == []
