"""The SQL of the database's side as one migration, written into a Supabase project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

from livetables.errors import ProjectError

DATABASE_VERSION: Final = 1
"""The version of the SQL. It grows with every change of the files in `sql/`; see `CHECKSUMS` in the tests."""

_MARK: Final = re.compile(r"^-- livetables: database version (\d+)$", re.M)
_PREFIX: Final = re.compile(r"(\d+)_.*\.sql")
_HEADER: Final = """\
-- livetables: database version {version}
-- Written by `python -m livetables init`. It may be run again, and upgrades an older version. Do not edit it:
-- a newer version of livetables brings a new file. To make a table live, add a migration with
-- `select livetables.watch('name');`.
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What `write` did: the file that has the SQL, and whether it is new."""

    path: Path
    new: bool


def migration() -> str:
    """Return the SQL: the log, its triggers, `changes_since`, `livetables.watch` and the check."""
    folder = files("livetables.database").joinpath("sql")
    parts = sorted(
        (part for part in folder.iterdir() if part.name.endswith(".sql")), key=lambda part: part.name
    )
    text = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    return _HEADER.format(version=DATABASE_VERSION) + "\n" + text.replace("{version}", str(DATABASE_VERSION))


def write(project: Path, now: datetime | None = None) -> Written:
    """Write the migration into the project, unless it has this version already.

    Arguments:
        project: the folder with `supabase/` or `migrations/`, or the folder `migrations/` itself.
        now: the time in the file's name; by default the present.

    Raises `ProjectError` if there is no such folder, or if it has a newer version.
    """
    folder = _migrations(project)
    existing = sorted(folder.glob("*.sql"))
    for path in existing:
        version = _version(path)
        if version > DATABASE_VERSION:
            raise ProjectError(
                f"{path} has version {version} of the SQL, and this package version {DATABASE_VERSION}. "
                "Upgrade streamlit-livetables."
            )
        if version == DATABASE_VERSION:
            return Written(path, new=False)
    path = folder / f"{_prefix(existing, now or datetime.now(UTC))}_livetables.sql"
    path.write_text(migration(), encoding="utf-8")
    return Written(path, new=True)


def _migrations(project: Path) -> Path:
    if not project.is_dir():
        raise ProjectError(
            f"There is no folder {project}. Name the one with supabase/, or run `supabase init`."
        )
    if project.name == "migrations":
        return project
    base = next((base for base in (project / "supabase", project) if _is_project(base)), None)
    if base is None:
        raise ProjectError(
            f"{project} is no Supabase project: it has neither supabase/ nor migrations/. "
            "Run `supabase init`, or make the folder supabase/migrations."
        )
    folder = base / "migrations"
    folder.mkdir(exist_ok=True)
    return folder


def _is_project(folder: Path) -> bool:
    return (folder / "migrations").is_dir() or (folder / "config.toml").is_file()


def _version(path: Path) -> int:
    found = _MARK.search(path.read_text(encoding="utf-8", errors="replace")[:1000])
    return int(found[1]) if found else 0


def _prefix(existing: list[Path], now: datetime) -> str:
    """Return the time as the CLI writes it, or one more than the newest migration's if that is later."""
    newest = max((int(found[1]) for path in existing if (found := _PREFIX.fullmatch(path.name))), default=0)
    return str(max(int(now.astimezone(UTC).strftime("%Y%m%d%H%M%S")), newest + 1))
