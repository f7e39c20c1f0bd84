"""The small scripts come in one file, and each script is still there once."""

import json
import re
from pathlib import Path

import pytest

from frontend.bundle import Bundle, find_bundle, write_bundle
from frontend.files import SOURCE
from frontend.page import first_scripts

INSTALLED = SOURCE / "static" / "js"


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    (tmp_path / "index.1.js").write_text('import"./small.2.js";' + "x" * 60_000)
    (tmp_path / "small.2.js").write_text(
        'import{a as b}from"./index.1.js";import(`./late.3.js`);let c="./small.2.js"'
    )
    (tmp_path / "late.3.js").write_text("export default new URL('.', import.meta.url)")
    (tmp_path / "filter.4.js").write_text("export{}")
    return tmp_path


def written(scripts: Path, *apart: str) -> Bundle:
    write_bundle(scripts, sorted(path.name for path in scripts.glob("*.js")), apart)
    bundle = find_bundle(scripts)
    assert bundle is not None
    return bundle


def test_it_has_the_small_scripts_that_do_not_ask_where_they_are(scripts: Path) -> None:
    assert written(scripts).scripts == {"small.2.js", "filter.4.js"}


def test_what_the_page_replaces_stays_a_file(scripts: Path) -> None:
    assert written(scripts, "filter.4.js").scripts == {"small.2.js"}


def test_only_what_is_imported_gets_the_address_of_the_folder(scripts: Path) -> None:
    texts = json.loads((scripts / written(scripts).file).read_text())
    assert texts["small.2.js"] == (
        'import{a as b}from"@folder@/index.1.js";import(`@folder@/late.3.js`);let c="./small.2.js"'
    )


def test_browsers_may_keep_it_for_good(scripts: Path) -> None:
    assert re.fullmatch(r"first\.[0-9a-f]{8}\.json", written(scripts).file)


def test_without_the_file_there_is_none(tmp_path: Path) -> None:
    assert find_bundle(tmp_path) is None


def test_the_installed_streamlit_needs_few_requests(tmp_path: Path) -> None:
    names = first_scripts((SOURCE / "index.html").read_text(encoding="utf-8"), INSTALLED)
    for name in names:
        (tmp_path / name).write_bytes((INSTALLED / name).read_bytes())
    bundle = written(tmp_path)
    assert len(bundle.scripts) > 50
    assert len(set(names) - bundle.scripts) <= 12
    # Nothing relative is left, because a module made of text has no address.
    texts = json.loads((tmp_path / bundle.file).read_text(encoding="utf-8"))
    left = re.compile(r"(?:\bfrom|\bimport)\s*\(?\s*[\"'`]\.")
    assert [name for name, text in texts.items() if left.search(text)] == []


def test_the_loader_stands_in_one_element(scripts: Path) -> None:
    text = written(scripts).loader("index.1.js", {"imports": {"./a.js": "./b.js"}})
    assert text.startswith("<script>")
    assert text.count("</script>") == 1
    assert re.search(
        r'\("first\.\w+\.json", "index\.1\.js", "@folder@/", \{"imports": \{"\./a\.js": "\./b\.js"\}\}\);'
        r"</script>$",
        text,
    )
