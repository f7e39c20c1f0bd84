"""The very first run of a server, opened at the address of a page.

Until the app has named its pages with `st.navigation` once, Streamlit takes the files in `pages/` for pages
of the old kind and runs the one that was asked for as a script. Such a run is handed to the app.
"""

from __future__ import annotations

import runpy
from pathlib import Path

_APP = Path(__file__).parent.parent / "app.py"


def run_whole_app() -> None:
    """Run `app.py` in place of the page that is running as a script."""
    runpy.run_path(str(_APP), run_name="__main__")
