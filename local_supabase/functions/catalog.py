"""The functions of a project and their settings in config.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from local_supabase.functions.errors import BootError, NotFoundError

# The Supabase CLI accepts these names.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")
_ENTRYPOINTS = ("index.ts", "index.js", "index.tsx", "index.jsx", "index.mjs")
_CONFIGS = ("deno.json", "deno.jsonc")
_RESERVED = "SUPABASE_"


@dataclass(frozen=True, slots=True)
class Function:
    """One function on disk.

    `stamp` changes with any file below the functions folder, so that a saved file is served by a new worker.
    """

    name: str
    entrypoint: Path
    verify_jwt: bool
    config: Path | None
    import_map: Path | None
    stamp: int


class Catalog:
    """Reads the functions folder for each call, because it is edited while the stack runs.

    Arguments:
        project: the project folder, with `functions/` and `config.toml`.
    """

    def __init__(self, project: Path) -> None:
        self._project = project
        self.folder = project / "functions"

    def find(self, name: str) -> Function:
        """Return the function of this name.

        Raises:
            NotFoundError: there is none, or it is disabled.
            BootError: config.toml cannot be read.
        """
        if not _NAME.fullmatch(name):
            raise NotFoundError
        settings = self._settings(name)
        entrypoint = self._entrypoint(name, settings)
        if entrypoint is None or settings.get("enabled") is False:
            raise NotFoundError
        folder = self.folder / name
        return Function(
            name=name,
            entrypoint=entrypoint,
            verify_jwt=settings.get("verify_jwt") is not False,
            config=next((folder / each for each in _CONFIGS if (folder / each).is_file()), None),
            import_map=self._path(settings.get("import_map")),
            stamp=max(
                (path.stat().st_mtime_ns for path in self.folder.rglob("*") if path.is_file()), default=0
            ),
        )

    def secrets(self) -> dict[str, str]:
        """Return the variables of `functions/.env`, without the reserved ones that begin with SUPABASE_."""
        path = self.folder / ".env"
        values = dotenv_values(path, interpolate=False) if path.is_file() else {}
        return {name: value or "" for name, value in values.items() if not name.startswith(_RESERVED)}

    def _entrypoint(self, name: str, settings: Mapping[str, object]) -> Path | None:
        named = self._path(settings.get("entrypoint"))
        candidates = [named] if named else [self.folder / name / each for each in _ENTRYPOINTS]
        return next((path for path in candidates if path.is_file()), None)

    def _path(self, setting: object) -> Path | None:
        if not isinstance(setting, str) or not setting:
            return None
        path = (self._project / setting).resolve()
        return path if path.is_relative_to(self._project.resolve()) else None

    def _settings(self, name: str) -> Mapping[str, object]:
        path = self._project / "config.toml"
        if not path.is_file():
            return {}
        try:
            functions = tomllib.loads(path.read_text()).get("functions", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BootError(f"supabase/config.toml cannot be read: {error}") from error
        settings = functions.get(name, {}) if isinstance(functions, dict) else {}
        return settings if isinstance(settings, dict) else {}
