"""Select boxes find a name by any spelling, and show the name alone."""

import json
import subprocess
from pathlib import Path

import pytest

from frontend.files import SOURCE
from frontend.page import Colors, Look, make_page
from frontend.search import Search, make_search
from local_supabase.functions.deno import find_deno
from ui.base import folding

SCRIPTS = SOURCE / "static" / "js"
STREAMLITS = """
const modes = { FILTER_MODE_NONE: 0 };
const other = "there as well";
function f1(e,t,n){if(!t||n===modes.FILTER_MODE_NONE)return e;return e.filter((o) => o.label.includes(t))}
export{other as a,f1 as n};
"""


@pytest.fixture(scope="module")
def found() -> Search:
    search = make_search(SCRIPTS, folding.plain_characters())
    assert search is not None
    return search


def test_the_installed_streamlit_has_the_filter(found: Search) -> None:
    users = [path.name for path in SCRIPTS.glob("*.js") if f'"./{found.original}"' in path.read_text()]
    assert {name.partition(".")[0] for name in users} >= {"Selectbox", "Multiselect"}
    assert "FILTER" not in found.text


def test_the_page_puts_it_in_place_before_any_script(found: Search) -> None:
    look = Look("Tavern", Colors("#fff", "#000"), Colors("#191411", "#eee"))
    original = (SOURCE / "index.html").read_text(encoding="utf-8")
    page = make_page(original, SCRIPTS, look, found)
    assert page.index("importmap") < min(page.index("modulepreload"), page.index('type="module"'))
    text = page.partition('<script type="importmap">')[2].partition("</script>")[0]
    own, streamlits = f"./static/js/{found.name}", f"./static/js/{found.original}"
    assert json.loads(text) == {"imports": {streamlits: own}, "scopes": {own: {streamlits: streamlits}}}


def test_another_streamlit_keeps_its_own_search(tmp_path: Path) -> None:
    (tmp_path / "Selectbox.js").write_text("function f(e,t,n){return e}export{f as n};")
    assert make_search(tmp_path, {}) is None


FOUND = {
    "tomas": ["Tomás Rey"], "TOMÁS": ["Tomás Rey"], "lukasz": ["Łukasz"], "łu": ["Łukasz", "Luka"],
    "o'n": ["O’Neill"], "strasse": ["Straße"], "ань": ["Тань"], "zzz": [],
    "": ["Tomás Rey", "Łukasz", "Luka", "O’Neill", "Straße", "Тань"],
}  # fmt: skip


def test_names_are_found_by_any_spelling(tmp_path: Path) -> None:
    (tmp_path / "streamlits.js").write_text(STREAMLITS)
    search = make_search(tmp_path, folding.plain_characters())
    assert search is not None
    (tmp_path / search.name).write_text(search.text)
    options = [{"id": number, "label": name} for number, name in enumerate(FOUND[""])]
    program = tmp_path / "program.js"
    program.write_text(
        f"import {{ n, a }} from './{search.name}'; const options = {json.dumps(options)};"
        f"const found = {json.dumps(list(FOUND))}.map((query) => [query, n(options, query, 1)]);"
        "console.log(JSON.stringify([a, Object.fromEntries(found)]));"
    )
    command = [find_deno(), "run", "--quiet", "--allow-read", str(program)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    kept, found = json.loads(run.stdout)
    assert kept == "there as well"
    # The options themselves, as Streamlit gave them.
    by_name = {str(option["label"]): option for option in options}
    assert found == {query: [by_name[name] for name in names] for query, names in FOUND.items()}
