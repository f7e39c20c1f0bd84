"""The HTML page of the app: Streamlit's, with what a browser needs before the scripts have come.

- The colors of the theme, so that a dark screen is dark from the first paint, and the name of the app.
- Preloads of the scripts that every page of the app needs. Streamlit's page names those that it needs itself;
  the others would be found one after the other, each a round trip later.
- A preload of what the scripts ask the server first, which else waits for all of them.
- Small fonts, and no preload of a font, which would come before the scripts.
- The app's style sheet, below all styles that scripts add to the head.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COMPONENTS: Final = ("BidiComponent", "Button", "ChatInput", "Html", "PageLink")
"""The components that the first page shows, by the names of Streamlit's scripts."""

_PRELOAD: Final = re.compile(r'<link rel="modulepreload"[^>]*href="\./static/js/(?P<name>[^"]+)"[^>]*>')
_FONT: Final = re.compile(r'<link\s+rel="preload"[^>]*as="font"[^>]*>\s*')
_IMPORT: Final = re.compile(r'(?:from|import)"\./(?P<name>[\w.-]+\.js)"')
_ENTRY: Final = re.compile(r'<script type="module"[^>]*src="\./static/js/(?P<name>[^"]+)"')
_STYLE: Final = (
    "<style>"
    "html{{background:{light};color:{light_text};color-scheme:light dark}}"
    "@media (prefers-color-scheme:dark){{html{{background:{dark};color:{dark_text}}}}}"
    "#root:empty::before{{content:{name};position:fixed;inset:0;display:grid;place-items:center;"
    'opacity:.6;font:600 1.6rem "Iowan Old Style",Palatino,Georgia,serif}}'
    "{faces}</style>"
)
_ASKED_FIRST: Final = "".join(
    f'<link rel="preload" as="fetch" crossorigin="anonymous" href="./_stcore/{name}">'
    for name in ("health", "host-config")
)


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


def make_page(original: str, scripts: Path, look: Look, first: str = "", faces: str = "") -> str:
    """Return the page.

    Arguments:
        original: Streamlit's page.
        scripts: the folder of Streamlit's scripts.
        look: the app's look.
        first: HTML that stands before all scripts.
        faces: styles of fonts.
    """
    light, dark = look.light, look.dark
    style = _STYLE.format(
        light=light.background, light_text=light.text, dark=dark.background, dark_text=dark.text,
        name='"' + look.name.replace("\\", "").replace('"', "") + '"', faces=faces,
    )  # fmt: skip
    known = {found["name"] for found in _PRELOAD.finditer(original)}
    known |= {found["name"] for found in _ENTRY.finditer(original)}
    more = [each for each in needed(scripts, COMPONENTS) if each not in known]
    page = _FONT.sub("", original).replace("<head>", f"<head>{first}", 1)
    page = page.replace("<title>Streamlit</title>", f"<title>{html.escape(look.name)}</title>")
    links = "".join(f'<link rel="modulepreload" crossorigin href="./static/js/{each}">' for each in more)
    page = page.replace("</head>", f"{style}{_ASKED_FIRST}{links}</head>", 1)
    own_style = f"<style>{look.style}</style>" if look.style else ""
    return page.replace("</body>", f"{own_style}</body>", 1)


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
