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

from local_supabase.errors import DataFolderError, LocalSupabaseError
from local_supabase.stack.datadir import DataDir, write_private

# Both are fixed so that a secret always gives the same keys. With the Supabase CLI's default secret they are
# byte for byte the CLI's demo keys.
_ISSUER = "supabase-demo"
_KEY_EXPIRY = 1983812996
_MINIMUM_SECRET_LENGTH = 32
_ENVIRONMENT = "SUPABASE_JWT_SECRET"


class Login(StrEnum):
    """The database roles that may log in. Each has a generated password."""

    POSTGRES = "postgres"
    SUPABASE_ADMIN = "supabase_admin"
    AUTHENTICATOR = "authenticator"
    AUTH_ADMIN = "supabase_auth_admin"
    STORAGE_ADMIN = "supabase_storage_admin"
    REALTIME = "supabase_realtime_authenticator"


# Data folders of older versions have no password of these.
_NEWER_LOGINS = (Login.REALTIME,)


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one stack. Its `repr` shows none of them.

    Arguments:
        jwt_secret: signs and verifies tokens.
        anon_key: the public API key.
        service_key: the API key that bypasses row-level security.
        passwords: the login roles' database passwords.
        mailbox_secret: the part of the mailbox's address that nobody can guess.
    """

    jwt_secret: str = field(repr=False)
    anon_key: str = field(repr=False)
    service_key: str = field(repr=False)
    passwords: Mapping[Login, str] = field(repr=False)
    mailbox_secret: str = field(repr=False)


def load_keys(data_dir: DataDir, environ: Mapping[str, str] = os.environ) -> Keys:
    """Read the data folder's secrets, or generate them at the first start.

    Arguments:
        data_dir: the data folder.
        environ: `SUPABASE_JWT_SECRET` in it takes precedence over the stored JWT secret.

    Raises:
        LocalSupabaseError: `SUPABASE_JWT_SECRET` is shorter than 32 characters.
        DataFolderError: the secrets file is damaged.
    """
    stored = _read_or_create(data_dir)
    secret = environ.get(_ENVIRONMENT) or stored.jwt_secret
    if len(secret) < _MINIMUM_SECRET_LENGTH:
        raise LocalSupabaseError(
            f"{_ENVIRONMENT} must have at least {_MINIMUM_SECRET_LENGTH} characters; it has {len(secret)}."
        )
    return keys_of(secret, stored.passwords, stored.mailbox_secret)


def keys_of(secret: str, passwords: Mapping[Login, str], mailbox_secret: str) -> Keys:
    """Return the keys of a stack with these secrets."""
    return Keys(
        jwt_secret=secret,
        anon_key=_api_key(secret, "anon"),
        service_key=_api_key(secret, "service_role"),
        passwords=passwords,
        mailbox_secret=mailbox_secret,
    )


@dataclass(frozen=True, slots=True)
class _Stored:
    jwt_secret: str
    passwords: Mapping[Login, str]
    mailbox_secret: str

    def to_json(self) -> str:
        passwords = {login.value: password for login, password in self.passwords.items()}
        record = {
            "jwt_secret": self.jwt_secret,
            "passwords": passwords,
            "mailbox_secret": self.mailbox_secret,
        }
        return json.dumps(record, indent=2)


def _read_or_create(data_dir: DataDir) -> _Stored:
    try:
        record = json.loads(data_dir.secrets.read_text())
        newer = {login.value: _new_password() for login in _NEWER_LOGINS}
        kept = newer | record["passwords"]
        passwords = {login: str(kept[login.value]) for login in Login}
        stored = _Stored(
            str(record["jwt_secret"]), passwords, str(record.get("mailbox_secret") or _new_password())
        )
    except FileNotFoundError:
        return _create(data_dir)
    except (ValueError, KeyError, TypeError) as error:
        raise DataFolderError(
            f"{data_dir.secrets} is damaged. Restore it from a backup, or start anew with: "
            "python -m local_supabase reset"
        ) from error
    if "mailbox_secret" not in record or kept != record["passwords"]:  # made by an older version
        write_private(data_dir.secrets, stored.to_json())
    return stored


def _create(data_dir: DataDir) -> _Stored:
    passwords = {login: _new_password() for login in Login}
    stored = _Stored(secrets.token_urlsafe(48), passwords, _new_password())
    write_private(data_dir.secrets, stored.to_json())
    return stored


def _new_password() -> str:
    return secrets.token_urlsafe(24)


def _api_key(secret: str, role: str) -> str:
    # API keys must be reproducible byte for byte. A JWT library promises neither the order of the claims nor
    # the spacing of its JSON, so the token is assembled here.
    header = _segment({"alg": "HS256", "typ": "JWT"})
    payload = _segment({"iss": _ISSUER, "role": role, "exp": _KEY_EXPIRY})
    signature = hmac.new(secret.encode(), f"{header}.{payload}".encode(), hashlib.sha256).digest()
    return f"{header}.{payload}.{_base64(signature)}"


def _segment(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
