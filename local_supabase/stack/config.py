"""Reads the Supabase CLI's `config.toml`, and lists the settings in it that are not supported.

Reference: https://supabase.com/docs/guides/local-development/cli/config. The services read `[auth]`,
`[storage]` and `[functions.*]` themselves.
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
        "inbucket.port",
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
                "rate_limit.wrong_passwords",
                "rate_limit.wrong_codes",
                "rate_limit.wrong_tries",
                "rate_limit.factor_codes",
                "mfa.max_enrolled_factors",
                "mfa.totp.enroll_enabled",
                "mfa.totp.verify_enabled",
            )
        ),
        "storage.file_size_limit",
        *(f"storage.buckets.*.{name}" for name in ("public", "file_size_limit", "allowed_mime_types")),
        *(f"functions.*.{name}" for name in ("enabled", "verify_jwt", "import_map", "entrypoint")),
    }
)
# The service that `enabled = false` in a table switches off.
_SERVICES = {
    "api": "rest",
    "auth": "auth",
    "realtime": "realtime",
    "storage": "storage",
    "edge_runtime": "functions",
}


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """The table `[api]`.

    Arguments:
        schemas: the schemas that REST exposes.
        extra_search_path: the schemas of the search path after the request's own.
        max_rows: the most rows of a response.
    """

    schemas: tuple[str, ...] = ("public", "graphql_public")
    extra_search_path: tuple[str, ...] = ("public", "extensions")
    max_rows: int = 1000


@dataclass(frozen=True, slots=True)
class Config:
    """The supported settings of `config.toml`, without those of single services. The defaults are the CLI's.

    Arguments:
        port: the gateway's port.
        database_port: Postgres' port.
        mailbox_port: the port of the mailbox, which the CLI serves with Inbucket.
        api: the table `[api]`.
        migrations: whether migrations are applied.
        seeds: the patterns of seed files, relative to the project.
        switched_off: the services that do not run.
        ignored: the dotted names of the settings that are not supported.
    """

    port: int = 54321
    database_port: int = 54322
    mailbox_port: int = 54324
    api: ApiConfig = field(default_factory=ApiConfig)
    migrations: bool = True
    seeds: tuple[str, ...] = ("./seed.sql",)
    switched_off: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()


def load_config(project: Path) -> Config:
    """Read `config.toml` of a project folder. Without the file, the CLI's defaults apply.

    Raises:
        ProjectError: the file is not TOML, or a setting has a value of the wrong type.
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
    """Return the seed files in the order in which they run. A pattern may match no file."""
    found: list[Path] = []
    for pattern in config.seeds:
        matches = sorted(project.glob(pattern.removeprefix("./")))
        found += [path for path in matches if path not in found]
    return found


class _Reader:
    """Reads settings by their dotted names and checks their types."""

    def __init__(self, path: Path, values: Mapping[str, object]) -> None:
        self._path = path
        self._values = values

    def config(self) -> Config:
        defaults = Config()
        seeds = self._texts("db.seed.sql_paths", defaults.seeds)
        return Config(
            port=self._number("api.port", defaults.port),
            database_port=self._number("db.port", defaults.database_port),
            mailbox_port=self._number("inbucket.port", defaults.mailbox_port),
            api=ApiConfig(
                schemas=self._texts("api.schemas", defaults.api.schemas),
                extra_search_path=self._texts("api.extra_search_path", defaults.api.extra_search_path),
                max_rows=self._number("api.max_rows", defaults.api.max_rows),
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
                raise self._type_error(".".join(parts[:depth]), "a table")
            value = value.get(part)
            if value is None:
                return None
        return value

    def _flag(self, name: str) -> bool:
        value = self._get(name)
        if value is None:
            return True
        if not isinstance(value, bool):
            raise self._type_error(name, "true or false")
        return value

    def _number(self, name: str, default: int) -> int:
        value = self._get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._type_error(name, "a whole number, not negative")
        return value

    def _texts(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._get(name)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._type_error(name, "a list of texts")
        return tuple(value)

    def _type_error(self, name: str, wanted: str) -> ProjectError:
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
