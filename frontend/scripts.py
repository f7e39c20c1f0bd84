"""The scripts of this folder, as they are sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_COMMENT: Final = re.compile(r"^\s*//.*\n", re.MULTILINE)


def own_script(name: str) -> str:
    """Return a script of this folder without its comments. `name` has no `.js`."""
    return _COMMENT.sub("", (Path(__file__).with_name(f"{name}.js")).read_text(encoding="utf-8"))
