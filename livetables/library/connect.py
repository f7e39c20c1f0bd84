"""Connecting to a project: one database a process for each of them, whoever asks and however often."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Final

from livetables.config import EngineConfig
from livetables.library import project, session, versions
from livetables.library.database import Database

_lock: Final = threading.Lock()
_databases: Final[dict[EngineConfig, Database]] = {}
_folders: Final[dict[Path, EngineConfig]] = {}


def connect(folder: str | Path | None = None, *, url: str | None = None, key: str | None = None) -> Database:
    """Return the database of a project. Call it at the top of the script: only the first call does anything.

    With `SUPABASE_URL` and `SUPABASE_KEY` in the environment or in Streamlit's secrets it is that project,
    else the folder's on the embedded Supabase. So the same script runs on a laptop and on a hosted project.

    Arguments:
        folder: the project folder, with `migrations/`, beside the script or in the working directory.
        url: the project's address, instead of the setting.
        key: its anon or publishable key, instead of the setting.

    Raises:
        ProjectError: No project is named, the embedded Supabase is missing or does not start.
        UnsupportedStreamlitError: The installed Streamlit does not work.
    """
    versions.check()
    config = project.named(project.settings(), url, key)
    with _lock:
        if config is None:
            if folder is None:
                raise project.no_project()
            config = _embedded(project.folder_of(folder, _script()))
        database = _databases.get(config)
        if database is None:
            database = _databases[config] = Database(config)
    session.use(database)
    return database


def _embedded(folder: Path) -> EngineConfig:
    if folder not in _folders:
        _folders[folder] = project.embedded(folder)
    return _folders[folder]


def _script() -> str | None:
    """Return the path of the app's script, which Streamlit runs as the main module."""
    return getattr(sys.modules.get("__main__"), "__file__", None)
