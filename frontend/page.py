"""The HTML page of the app: Streamlit's, with what a browser needs before the scripts have come.

- The colors of the theme, so that a dark screen is dark from the first paint, and the name of the app.
- Preloads of the scripts that every page of the app needs. Streamlit's page names those that it needs itself;
  the others would be found one after the other, each a round trip later. The small ones come in one file.
- A preload of what the scripts ask the server first, which else waits for all of them.
- Small fonts, and no preload of a font, which would come before the scripts.
- The app's style sheet, below all styles that scripts add to the head.
- A script that loads the page again when the app has not come, or is gone.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from frontend.bundle import Bundle
from frontend.scripts import own_script
from frontend.search import Search

COMPONENTS: Final = ("BidiComponent", "Button", "ChatInput", "Html", "PageLink")
"""The components that the first page shows, by the names of Streamlit's scripts."""

_PRELOAD: Final = re.compile(r'<link rel="modulepreload"[^>]*href="\./static/js/(?P<name>[^"]+)"[^>]*>')
_FONT: Final = re.compile(r'<link\s+rel="preload"[^>]*as="font"[^>]*>\s*')
_IMPORT: Final = re.compile(r'(?:from|import)"\./(?P<name>[\w.-]+\.js)"')
_ENTRY: Final = re.compile(r'<script type="module"[^>]*src="\./static/js/(?P<name>[^"]+)"[^>]*></script>')
_MODULE: Final = '<link rel="modulepreload" crossorigin href="./static/js/{name}">'
_SCRIPT: Final = '<link rel="preload" as="script" crossorigin href="./static/js/{name}">'
_ASKED: Final = '<link rel="preload" as="fetch" crossorigin="anonymous" href="./{path}">'
_STYLE: Final = (
    "<style>"
    "html{{background:{light};color:{light_text};color-scheme:light dark}}"
    "@media (prefers-color-scheme:dark){{html{{background:{dark};color:{dark_text}}}}}"
    "#root:empty::before{{content:{name};position:fixed;inset:0;display:grid;place-items:center;"
    'opacity:.6;font:600 1.6rem "Iowan Old Style",Palatino,Georgia,serif}}'
    "{faces}</style>"
)
_ASKED_FIRST: Final = "".join(_ASKED.format(path=f"_stcore/{name}") for name in ("health", "host-config"))
_COME_BACK: Final = own_script("come_back")


@dataclass(frozen=True, slots=True)
class Colors:
    """The background and the text of a theme, as CSS colors."""

    background: str
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """The app's name and the colors of the two themes, for the first paint, and its style sheet."""

    name: str
    light: Colors
    dark: Colors
    style: str = ""


@dataclass(frozen=True, slots=True)
class Small:
    """What there is in place of Streamlit's files: styles of small fonts, and the file with small scripts."""

    faces: str = ""
    bundle: Bundle | None = None


def make_page(
    original: str, scripts: Path, look: Look, search: Search | None = None, small: Small | None = None
) -> str:
    """Return the page.

    Arguments:
        original: Streamlit's page.
        scripts: the folder of Streamlit's scripts.
        look: the app's look.
        search: the script that searches in select boxes.
        small: what there is in place of Streamlit's files.
    """
    small = small or Small()
    light, dark = look.light, look.dark
    style = _STYLE.format(
        light=light.background, light_text=light.text, dark=dark.background, dark_text=dark.text,
        name='"' + look.name.replace("\\", "").replace('"', "") + '"', faces=small.faces,
    )  # fmt: skip
    page = _FONT.sub("", original)
    page = page.replace("<title>Streamlit</title>", f"<title>{html.escape(look.name)}</title>")
    names = first_scripts(original, scripts)
    own_style = f"<style>{look.style}</style>" if look.style else ""
    entry = _ENTRY.search(original)
    if entry is not None and small.bundle is not None:
        page, last = _from_bundle(page, names, small.bundle), _loader(entry["name"], small.bundle, search)
    else:
        page, last = _one_by_one(page, names, search), ""
    page = page.replace("<head>", f"<head><script>{_COME_BACK}</script>", 1)
    page = page.replace("</head>", f"{style}{_ASKED_FIRST}</head>", 1)
    return page.replace("</body>", f"{own_style}{last}</body>", 1)


def first_scripts(original: str, scripts: Path) -> list[str]:
    """Return the names of the scripts of the first page, without repeats, Streamlit's first one first."""
    names = [found["name"] for pattern in (_ENTRY, _PRELOAD) for found in pattern.finditer(original)]
    return list(dict.fromkeys([*names, *needed(scripts, COMPONENTS)]))


def _one_by_one(page: str, names: Sequence[str], search: Search | None) -> str:
    known = {found["name"] for pattern in (_ENTRY, _PRELOAD) for found in pattern.finditer(page)}
    links = "".join(_MODULE.format(name=name) for name in names if name not in known)
    if search is not None:
        page = page.replace("<head>", f"<head>{search.import_map}", 1)
    return page.replace("</head>", f"{links}</head>", 1)


def _from_bundle(page: str, names: Sequence[str], bundle: Bundle) -> str:
    page = _PRELOAD.sub("", _ENTRY.sub("", page))
    links = _ASKED.format(path=f"static/js/{bundle.file}")
    # A preload of a module would be the first module, and older browsers then accept no import map.
    links += "".join(_SCRIPT.format(name=name) for name in names if name not in bundle.scripts)
    return page.replace("<head>", f"<head>{links}", 1)


def _loader(entry: str, bundle: Bundle, search: Search | None) -> str:
    return bundle.loader(entry, search.imports if search else {})


def needed(scripts: Path, components: Sequence[str]) -> list[str]:
    """Return the names of the scripts of these components and of all that they import, without repeats."""
    names: dict[str, None] = {}
    waiting = [path.name for component in components for path in _scripts_of(scripts, component)]
    while waiting:
        name = waiting.pop()
        if name not in names and (scripts / name).is_file():
            names[name] = None
            text = (scripts / name).read_text(encoding="utf-8")
            waiting += [found["name"] for found in _IMPORT.finditer(text)]
    return list(names)


def _scripts_of(scripts: Path, component: str) -> Iterable[Path]:
    return sorted(scripts.glob(f"{component}.*.js"))
