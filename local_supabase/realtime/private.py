"""What policies on `realtime.messages` let a caller do in a private channel, tested by rolled-back probes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import asyncpg
import orjson

from local_supabase.identity import Identity
from local_supabase.realtime.catalog import Pool

_READ = "select broadcast, presence from _realtime.read_policies($1, $2, $3, $4, $5, $6)"
_WRITE = "select _realtime.may_write($1, $2, $3, $4, $5, $6)"


class Extension(StrEnum):
    """What a policy may allow: the `extension` column of `realtime.messages`."""

    BROADCAST = "broadcast"
    PRESENCE = "presence"


@dataclass(frozen=True, slots=True)
class Reading:
    """Which messages a caller may read in a topic; `presence` is None when it was not checked."""

    broadcast: bool
    presence: bool | None


class PolicyUnavailableError(Exception):
    """The database does not answer at present."""


class Policies:
    """Checks policies in Postgres, with the caller's role, claims and handshake headers.

    Arguments:
        pool: connections of Realtime's login.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(
        self, topic: str, identity: Identity, headers: Mapping[str, str], *, presence: bool
    ) -> Reading:
        """Return what a caller may read: nothing when a policy fails.

        Raises `PolicyUnavailableError` when the database does not answer.
        """
        arguments = _arguments(topic, identity, headers)
        try:
            row = await self._pool.fetchrow(_READ, *arguments, presence)
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise PolicyUnavailableError from error
        except asyncpg.PostgresError:
            return Reading(broadcast=False, presence=False if presence else None)
        assert row is not None
        return Reading(row["broadcast"], row["presence"] if presence else None)

    async def may_write(
        self, topic: str, identity: Identity, headers: Mapping[str, str], extension: Extension
    ) -> bool:
        """Return whether a caller may send: not when a policy fails.

        Raises `PolicyUnavailableError` when the database does not answer.
        """
        arguments = _arguments(topic, identity, headers)
        try:
            allowed: bool = await self._pool.fetchval(_WRITE, *arguments, extension.value)
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise PolicyUnavailableError from error
        except asyncpg.PostgresError:
            return False
        return allowed


def _arguments(topic: str, identity: Identity, headers: Mapping[str, str]) -> tuple[str, ...]:
    return topic, identity.role, identity.claims_json, identity.user_id or "", orjson.dumps(headers).decode()
