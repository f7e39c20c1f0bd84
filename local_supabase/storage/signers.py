"""Who signed an address. Its rights are looked at again when the address is used, as they are then.

The token of a signed address holds the signer's claims, encrypted, because whoever gets the address can read
the rest of the token.
"""

import base64
import hashlib
import hmac
import json
from uuid import UUID

import orjson
from cryptography.fernet import Fernet, InvalidToken

from local_supabase.identity import Identity
from local_supabase.storage.api import StorageApi
from local_supabase.storage.errors import StorageError, access_denied

_PURPOSE = b"the signers of Storage's addresses"
_USER = """
select coalesce(banned_until > now(), false) as banned, coalesce(email, '') as email,
       coalesce(phone, '') as phone, raw_app_meta_data::text as app_metadata,
       raw_user_meta_data::text as user_metadata
  from auth.users where id = $1 and deleted_at is null
"""


async def seal(api: StorageApi, identity: Identity) -> str:
    """Return an identity as a text for the token of an address. Raises `StorageError` if it is banned."""
    content = {
        "role": identity.role,
        "claims": dict(identity.claims),
        "has_account": await _account(api, identity) is not None,
    }
    return _fernet(api).encrypt(orjson.dumps(content)).decode()


async def unseal(api: StorageApi, sealed: object) -> Identity:
    """Return the identity that `seal` was given, with what its account says now.

    Raises:
        StorageError: the text is not from `seal`, or the account is banned or deleted.
    """
    try:
        content = orjson.loads(_fernet(api).decrypt(sealed if isinstance(sealed, str) else ""))
    except InvalidToken:
        raise StorageError(400, "InvalidSignature", "Invalid signature") from None
    identity = _identity(content["role"], content["claims"])
    if not content["has_account"]:
        return identity
    account = await _account(api, identity)
    if account is None:
        raise _no_longer()
    return _identity(identity.role, {**identity.claims, **account})


def _identity(role: str, claims: dict[str, object]) -> Identity:
    return Identity(role, claims, json.dumps(claims, separators=(",", ":"), ensure_ascii=False))


async def _account(api: StorageApi, identity: Identity) -> dict[str, object] | None:
    """Return the claims that come from an identity's account, None without one.

    Raises:
        StorageError: the account is banned.
    """
    try:
        user_id = UUID(identity.user_id or "")
    except ValueError:
        return None
    async with api.context.database.as_admin() as connection:
        record = await connection.fetchrow(_USER, user_id)
    if record is None:
        return None
    if record["banned"]:
        raise _no_longer()
    return {
        "email": record["email"],
        "phone": record["phone"],
        "app_metadata": orjson.loads(record["app_metadata"] or "{}"),
        "user_metadata": orjson.loads(record["user_metadata"] or "{}"),
    }


def _no_longer() -> StorageError:
    return access_denied("The account that signs this address is banned or deleted")


def _fernet(api: StorageApi) -> Fernet:
    key = hmac.new(api.context.keys.jwt_secret.encode(), _PURPOSE, hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(key))
