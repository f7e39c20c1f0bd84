"""The first run of a server whose first visitor opens the address of a page.

Until the app has called `st.navigation` once, Streamlit treats the files in `pages/` as pages of its older
multipage apps and runs the one at the address as a script. Such a script runs the app instead.
"""

from __future__ import annotations

import runpy
from pathlib import Path

_APP = Path(__file__).parents[2] / "app.py"


def run_whole_app() -> None:
    """Run `app.py` instead of the page that is running as a script."""
    runpy.run_path(str(_APP), run_name="__main__")
