"""The secrets of a stack: the JWT secret, the API keys signed with it, and the database passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from local_supabase.datadir import DataDir, write_private
from local_supabase.errors import DataFolderError, LocalSupabaseError

# Fixed, so that the same secret always gives the same keys. With the Supabase CLI's default secret these are
# the CLI's own demo keys, byte for byte.
_ISSUER = "supabase-demo"
_KEY_EXPIRY = 1983812996
_MINIMUM_SECRET_LENGTH = 32
_ENVIRONMENT = "SUPABASE_JWT_SECRET"


class Login(StrEnum):
    """The database roles that may log in; each has a generated password."""

    POSTGRES = "postgres"
    SUPABASE_ADMIN = "supabase_admin"
    AUTHENTICATOR = "authenticator"
    AUTH_ADMIN = "supabase_auth_admin"
    STORAGE_ADMIN = "supabase_storage_admin"


@dataclass(frozen=True, slots=True)
class Keys:
    """Everything secret of one stack. Never printed by accident: its repr shows nothing."""

    jwt_secret: str = field(repr=False)
    anon_key: str = field(repr=False)
    service_key: str = field(repr=False)
    passwords: Mapping[Login, str] = field(repr=False)


def load_keys(data_dir: DataDir, environ: Mapping[str, str] = os.environ) -> Keys:
    """Read the folder's secrets, making them at the first start.

    `SUPABASE_JWT_SECRET` overrides the generated JWT secret for as long as it is set.

    Raises:
        LocalSupabaseError: the secret of the environment is too short to sign with.
        DataFolderError: the secrets file is damaged.
    """
    stored = _read_or_create(data_dir)
    secret = environ.get(_ENVIRONMENT) or stored.jwt_secret
    if len(secret) < _MINIMUM_SECRET_LENGTH:
        raise LocalSupabaseError(
            f"{_ENVIRONMENT} must have at least {_MINIMUM_SECRET_LENGTH} characters; it has {len(secret)}."
        )
    return keys_of(secret, stored.passwords)


def keys_of(secret: str, passwords: Mapping[Login, str]) -> Keys:
    """Derive the API keys of a JWT secret."""
    return Keys(
        jwt_secret=secret,
        anon_key=_api_key(secret, "anon"),
        service_key=_api_key(secret, "service_role"),
        passwords=passwords,
    )


@dataclass(frozen=True, slots=True)
class _Stored:
    jwt_secret: str
    passwords: Mapping[Login, str]


def _read_or_create(data_dir: DataDir) -> _Stored:
    try:
        record = json.loads(data_dir.secrets.read_text())
        passwords = {login: str(record["passwords"][login.value]) for login in Login}
        return _Stored(str(record["jwt_secret"]), passwords)
    except FileNotFoundError:
        return _create(data_dir)
    except (ValueError, KeyError, TypeError) as error:
        raise DataFolderError(
            f"{data_dir.secrets} is damaged. Restore it from a backup, or start anew with: "
            "python -m local_supabase reset"
        ) from error


def _create(data_dir: DataDir) -> _Stored:
    stored = _Stored(secrets.token_urlsafe(48), {login: secrets.token_urlsafe(24) for login in Login})
    passwords = {login.value: password for login, password in stored.passwords.items()}
    write_private(
        data_dir.secrets, json.dumps({"jwt_secret": stored.jwt_secret, "passwords": passwords}, indent=2)
    )
    return stored


def _api_key(secret: str, role: str) -> str:
    # Written out instead of left to a library: the exact bytes (key order, no spaces) make the keys
    # reproducible.
    header = _segment({"alg": "HS256", "typ": "JWT"})
    payload = _segment({"iss": _ISSUER, "role": role, "exp": _KEY_EXPIRY})
    signature = hmac.new(secret.encode(), f"{header}.{payload}".encode(), hashlib.sha256).digest()
    return f"{header}.{payload}.{_base64(signature)}"


def _segment(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
