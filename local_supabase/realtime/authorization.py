"""Who may see the rows of a change: one question to Postgres for all callers and rows of a table at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import orjson

from local_supabase.identity import Identity
from local_supabase.realtime.catalog import Connection, Table

_PREPARE = "select _realtime.prepare_visibility($1, $2, $3)"
_VISIBLE = "select caller, positions from _realtime.visible_rows($1, $2, $3, $4, $5)"
_AWAIT = "select _realtime.await_visible($1)"


@dataclass(slots=True)
class Counters:
    """How much work authorization was; for tests and the status page."""

    queries: int = 0
    checks: int = 0


# Callers with the same role and claims see the same rows.
Caller = tuple[str, str]


def caller_of(identity: Identity) -> Caller:
    """Return what makes two identities the same to a policy."""
    return identity.role, identity.claims_json


class RowAuthorization:
    """Asks Postgres, under each caller's role and claims, which rows exist for it now.

    Bound to one connection, in which it keeps a prepared statement a table.
    """

    def __init__(self, connection: Connection, counters: Counters) -> None:
        self._connection = connection
        self._prepared: dict[int, Table] = {}
        self._counters = counters

    async def visible(
        self,
        table: Table,
        callers: Sequence[Caller],
        keys: Sequence[Sequence[str | None]],
        xids: Collection[int],
    ) -> list[frozenset[int]]:
        """Return for each caller the indexes of the keys it can see, once the transactions are visible."""
        statement = await self._statement(table)
        self._counters.queries += 1
        self._counters.checks += len(callers) * len(keys)
        rows = await self._connection.fetch(
            _VISIBLE,
            statement,
            [role for role, _ in callers],
            [claims for _, claims in callers],
            orjson.dumps(keys).decode(),
            list(xids),
        )
        visible: list[frozenset[int]] = [frozenset()] * len(callers)
        for row in rows:
            visible[row["caller"] - 1] = frozenset(position - 1 for position in row["positions"] or ())
        return visible

    async def await_visible(self, xids: Collection[int]) -> None:
        """Wait until transactions of the log can be seen, so that who hears of a row can also read it."""
        await self._connection.execute(_AWAIT, list(xids))

    async def _statement(self, table: Table) -> str:
        oid = table.relation.oid
        name = f"visibility_{oid}"
        # A table is described anew when its definition changed, and so may its key have been.
        if self._prepared.get(oid) is not table:
            await self._connection.execute(_PREPARE, name, oid, list(table.key))
            self._prepared[oid] = table
        return name
