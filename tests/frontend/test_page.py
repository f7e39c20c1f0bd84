"""The page is Streamlit's, with the colors and the scripts that Tavern needs."""

import re
from pathlib import Path

import pytest

from frontend.bundle import Bundle
from frontend.files import SOURCE
from frontend.page import COMPONENTS, Colors, Look, Small, make_page, needed
from frontend.search import make_search

LOOK = Look('A "bar" & more', Colors("#fff", "#000"), Colors("#191411", "#eee"))
SCRIPTS = SOURCE / "static" / "js"


@pytest.fixture(scope="module")
def page() -> str:
    return make_page((SOURCE / "index.html").read_text(encoding="utf-8"), SCRIPTS, LOOK)


def test_a_dark_screen_is_dark_before_any_script(page: str) -> None:
    head = page.partition("</head>")[0]
    assert "@media (prefers-color-scheme:dark){html{background:#191411" in head


def test_it_has_the_name_of_the_app(page: str) -> None:
    assert "<title>A &quot;bar&quot; &amp; more</title>" in page
    assert 'content:"A bar & more"' in page


def test_every_script_is_preloaded_once_and_exists(page: str) -> None:
    preloaded = re.findall(r'rel="modulepreload"[^>]*href="\./static/js/([^"]+)"', page)
    assert len(preloaded) == len(set(preloaded))
    assert [name for name in preloaded if not (SCRIPTS / name).is_file()] == []
    assert [each for each in COMPONENTS if not any(name.startswith(f"{each}.") for name in preloaded)] == []


SMALL = [each for each in needed(SCRIPTS, COMPONENTS) if not each.startswith("index.")]


@pytest.fixture(scope="module")
def small_page() -> str:
    bundle = Bundle("first.12345678.json", frozenset(SMALL))
    original = (SOURCE / "index.html").read_text(encoding="utf-8")
    return make_page(original, SCRIPTS, LOOK, make_search(SCRIPTS, {}), Small(bundle=bundle))


def test_with_a_bundle_each_script_is_asked_for_once_and_none_is_a_module_yet(small_page: str) -> None:
    assert "modulepreload" not in small_page
    assert 'type="module"' not in small_page
    asked = re.findall(r'rel="preload" as="script" crossorigin href="\./static/js/([^"]+)"', small_page)
    assert len(asked) == len(set(asked))
    assert set(asked).isdisjoint(SMALL)
    assert asked[0].startswith("index.")
    assert 'as="fetch" crossorigin="anonymous" href="./static/js/first.12345678.json"' in small_page


def test_with_a_bundle_one_import_map_serves_all(small_page: str) -> None:
    assert '<script type="importmap">' not in small_page
    script = small_page.rpartition("<script>")[2]
    assert '"./static/js/search.' in script
    assert script.index("first.12345678.json") < script.index("index.")
    assert small_page.endswith("</script></body>\n</html>\n")


def test_no_font_comes_before_the_scripts(page: str) -> None:
    assert 'as="font"' not in page


def test_what_a_script_imports_is_needed_as_well(tmp_path: Path) -> None:
    (tmp_path / "Chat.1.js").write_text('import{a as b}from"./Base.2.js";import"./Side.3.js";')
    (tmp_path / "Base.2.js").write_text('import"./Chat.1.js";')
    (tmp_path / "Side.3.js").write_text('import"./gone.4.js"')
    (tmp_path / "Other.5.js").write_text("")
    assert sorted(needed(tmp_path, ["Chat", "Missing"])) == ["Base.2.js", "Chat.1.js", "Side.3.js"]


def test_what_the_scripts_ask_first_is_asked_with_them(page: str) -> None:
    asked = re.findall(r'rel="preload" as="fetch" crossorigin="anonymous" href="\./_stcore/([^"]+)"', page)
    assert asked == ["health", "host-config"]
    # If Streamlit asks for something else one day, these are of no use.
    script = next(SCRIPTS.glob("index.*.js")).read_text(encoding="utf-8")
    assert all(f"_stcore/{name}" in script for name in asked)


def test_the_styles_of_the_app_come_after_those_of_the_scripts() -> None:
    look = Look("A bar", LOOK.light, LOOK.dark, "b{color:red}")
    page = make_page(
        "<head></head><body><script></script></body>", SCRIPTS, look, small=Small("@font-face{}")
    )
    assert page.endswith("<style>b{color:red}</style></body>")
    assert "@font-face{}</style>" in page.partition("</head>")[0]


def test_the_script_that_watches_the_others_comes_before_them(page: str) -> None:
    assert page.index("location.reload()") < page.index("modulepreload")
    assert not re.search(r"^\s*//", page, re.MULTILINE)
