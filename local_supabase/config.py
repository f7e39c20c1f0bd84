"""The Supabase CLI's `config.toml`: what of it the embedded Supabase follows, and what it names as ignored.

Reference: https://supabase.com/docs/guides/local-development/cli/config. The tables `[auth]`, `[storage]` and
`[functions.*]` are read by their services.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_supabase.errors import ProjectError

_ANY = "*"
_SUPPORTED: frozenset[str] = frozenset(
    {
        "project_id",
        *(f"api.{name}" for name in ("enabled", "port", "schemas", "extra_search_path", "max_rows")),
        *(f"db.{name}" for name in ("port", "migrations.enabled", "seed.enabled", "seed.sql_paths")),
        *(f"{name}.enabled" for name in ("auth", "realtime", "storage", "edge_runtime")),
        *(
            f"auth.{name}"
            for name in (
                "site_url",
                "additional_redirect_urls",
                "jwt_expiry",
                "enable_signup",
                "enable_anonymous_sign_ins",
                "enable_manual_linking",
                "enable_refresh_token_rotation",
                "refresh_token_reuse_interval",
                "minimum_password_length",
                "password_requirements",
                "email.enable_signup",
                "email.enable_confirmations",
                "email.double_confirm_changes",
                "email.secure_password_change",
                "email.max_frequency",
                "email.otp_length",
                "email.otp_expiry",
                "sessions.timebox",
                "sessions.inactivity_timeout",
                "rate_limit.email_sent",
                "rate_limit.anonymous_users",
                "rate_limit.token_refresh",
                "rate_limit.sign_in_sign_ups",
                "rate_limit.token_verifications",
            )
        ),
        "storage.file_size_limit",
        *(f"storage.buckets.*.{name}" for name in ("public", "file_size_limit", "allowed_mime_types")),
        *(f"functions.*.{name}" for name in ("enabled", "verify_jwt", "import_map", "entrypoint")),
    }
)
# Which service a table switches off.
_SERVICES = {
    "api": "rest",
    "auth": "auth",
    "realtime": "realtime",
    "storage": "storage",
    "edge_runtime": "functions",
}


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """The `[api]` table: the schemas that REST serves, the rest of the search path, an answer's most rows."""

    schemas: tuple[str, ...] = ("public", "graphql_public")
    extra_search_path: tuple[str, ...] = ("public", "extensions")
    max_rows: int = 1000


@dataclass(frozen=True, slots=True)
class Config:
    """What the core follows of a project's `config.toml`, with the CLI's defaults."""

    port: int = 54321
    database_port: int = 54322
    api: ApiConfig = field(default_factory=ApiConfig)
    migrations: bool = True
    seeds: tuple[str, ...] = ("./seed.sql",)
    switched_off: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()


def load_config(project: Path) -> Config:
    """Read `config.toml` of a project folder; without one, everything is as the CLI has it by default.

    Raises:
        ProjectError: the file is no TOML, or a setting has a value of the wrong kind.
    """
    path = project / "config.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProjectError(f"{path} cannot be read: {error}") from error
    return _Reader(path, values).config()


def seed_files(project: Path, config: Config) -> list[Path]:
    """Return the seed files in the order in which they run; patterns that match nothing are passed over."""
    found: list[Path] = []
    for pattern in config.seeds:
        matches = sorted(project.glob(pattern.removeprefix("./")))
        found += [path for path in matches if path not in found]
    return found


class _Reader:
    """Reads settings by their dotted names and checks their kinds."""

    def __init__(self, path: Path, values: Mapping[str, object]) -> None:
        self._path = path
        self._values = values

    def config(self) -> Config:
        fresh = Config()
        seeds = self._texts("db.seed.sql_paths", fresh.seeds)
        return Config(
            port=self._number("api.port", fresh.port),
            database_port=self._number("db.port", fresh.database_port),
            api=ApiConfig(
                schemas=self._texts("api.schemas", fresh.api.schemas),
                extra_search_path=self._texts("api.extra_search_path", fresh.api.extra_search_path),
                max_rows=self._number("api.max_rows", fresh.api.max_rows),
            ),
            migrations=self._flag("db.migrations.enabled"),
            seeds=seeds if self._flag("db.seed.enabled") else (),
            switched_off=frozenset(
                service for table, service in _SERVICES.items() if not self._flag(f"{table}.enabled")
            ),
            ignored=tuple(_ignored(self._values)),
        )

    def _get(self, name: str) -> object:
        value: object = self._values
        parts = name.split(".")
        for depth, part in enumerate(parts):
            if not isinstance(value, Mapping):
                raise self._wrong(".".join(parts[:depth]), "a table")
            value = value.get(part)
            if value is None:
                return None
        return value

    def _flag(self, name: str) -> bool:
        value = self._get(name)
        if value is None:
            return True
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def _number(self, name: str, default: int) -> int:
        value = self._get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._wrong(name, "a whole number, not negative")
        return value

    def _texts(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._get(name)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a list of texts")
        return tuple(value)

    def _wrong(self, name: str, wanted: str) -> ProjectError:
        return ProjectError(f"{self._path}: {name} must be {wanted}.")


def _ignored(values: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        path = f"{prefix}{name}"
        if not _leads_to_supported(path):
            yield path
        elif isinstance(value, Mapping):
            yield from _ignored(value, f"{path}.")


def _leads_to_supported(path: str) -> bool:
    return any(_matches(path, supported) for supported in _SUPPORTED)


def _matches(path: str, supported: str) -> bool:
    parts = path.split(".")
    wanted = supported.split(".")[: len(parts)]
    return len(wanted) == len(parts) and all(
        pattern in (_ANY, part) for part, pattern in zip(parts, wanted, strict=True)
    )
