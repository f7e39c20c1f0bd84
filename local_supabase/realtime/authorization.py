"""Who may see changed rows: one query for all callers and rows of a table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson

from local_supabase.identity import Identity
from local_supabase.realtime.catalog import Connection, Table

_PREPARE = "select _realtime.prepare_visibility($1, $2, $3, $4)"
_PREPARE_DELETED = "select _realtime.prepare_deleted_visibility($1, $2, $3, $4)"
_VISIBLE = "select * from _realtime.visible_rows($1, $2, $3, $4)"
_AWAIT = "select _realtime.await_visible($1)"


@dataclass(slots=True)
class Counters:
    """How many queries and checks (a caller and a row each) authorization took, and how many filters."""

    queries: int = 0
    checks: int = 0
    filters: int = 0


# Callers with the same role and claims see the same rows.
Caller = tuple[str, str]


def caller_of(identity: Identity) -> Caller:
    """Return the part of an identity that policies depend on."""
    return identity.role, identity.claims_json


@dataclass(frozen=True, slots=True)
class Answer:
    """What policies let a caller see: the indexes of the rows.

    Attributes:
        seen: the indexes; empty when the answer is not finished.
        seconds: how long the policies took.
        finished: False if the time limit of the query, or somebody, cancelled it.
    """

    seen: frozenset[int]
    seconds: float = 0.0
    finished: bool = True


class RowAuthorization:
    """Checks in Postgres, under each caller's role and claims, which rows the caller can see now.

    It is bound to one connection, which has one prepared statement for each table and role.
    """

    def __init__(self, connection: Connection, counters: Counters) -> None:
        self._connection = connection
        self._prepared: dict[tuple[int, str], tuple[str, Table]] = {}
        self._counters = counters

    async def visible(
        self,
        table: Table,
        callers: Sequence[Caller],
        keys: Sequence[Sequence[str | None]],
    ) -> list[Answer | None]:
        """Return which of the keys each caller can see; None for callers that the query was too late for.

        Arguments:
            table: the table of all keys.
            callers: who may see the rows.
            keys: primary keys, as texts, of rows whose transactions are visible.
        """
        roles = dict.fromkeys(role for role, _ in callers)
        statements = {role: await self._statement(table, role) for role in roles}
        visible: list[Answer | None] = [Answer(frozenset())] * len(callers)
        asked = [position for position, (role, _) in enumerate(callers) if statements[role] is not None]
        await self._ask(visible, asked, statements, callers, keys)
        return visible

    async def deleted_visible(
        self,
        table: Table,
        callers: Sequence[Caller],
        keys: Sequence[Sequence[str | None]],
    ) -> list[Answer | None]:
        """Return which deleted rows each caller could see; None for callers that it was too late for.

        Policies that need more than a row's replica identity cannot be asked any more. To callers with such
        policies all rows count as visible.

        Arguments:
            table: the table of all rows.
            callers: who may be told.
            keys: the values of the rows' replica identities, as texts.
        """
        visible: list[Answer | None] = [Answer(frozenset(range(len(keys))))] * len(callers)
        for role in dict.fromkeys(role for role, _ in callers):
            statement = f"deleted_visibility_{table.relation.oid}"
            # Prepared each time: once anything that a policy uses is altered, Postgres would parse it again
            # under the caller's role, which may lack the right to the schema of a function in it.
            if not await self._connection.fetchval(
                _PREPARE_DELETED, statement, table.relation.oid, role, list(table.identity)
            ):
                continue
            positions = [position for position, caller in enumerate(callers) if caller[0] == role]
            await self._ask(visible, positions, {role: statement}, callers, keys)
        return visible

    async def _ask(
        self,
        visible: list[Answer | None],
        positions: Sequence[int],
        statements: Mapping[str, str | None],
        callers: Sequence[Caller],
        keys: Sequence[Sequence[str | None]],
    ) -> None:
        """Ask for the callers at some positions, and put the answers there."""
        asked = [callers[position] for position in positions]
        if not asked:
            return
        names = [statements[role] for role, _ in asked]
        for position, answer in zip(positions, await self._visible(names, asked, keys), strict=True):
            visible[position] = answer

    async def _visible(
        self, names: Sequence[str | None], callers: Sequence[Caller], keys: Sequence[Sequence[str | None]]
    ) -> list[Answer | None]:
        self._counters.queries += 1
        self._counters.checks += len(callers) * len(keys)
        rows = await self._connection.fetch(
            _VISIBLE,
            names,
            [role for role, _ in callers],
            [claims for _, claims in callers],
            orjson.dumps(keys).decode(),
        )
        answers: list[Answer | None] = [None] * len(callers)
        for row in rows:
            seen = frozenset(position - 1 for position in row["positions"] or ())
            answers[row["caller"] - 1] = Answer(seen, row["seconds"], row["finished"])
        return answers

    async def await_visible(self, xids: Collection[int]) -> None:
        """Wait until transactions are visible, so that clients can read the rows they are sent."""
        await self._connection.execute(_AWAIT, list(xids))

    async def _statement(self, table: Table, role: str) -> str | None:
        """Return the name of a table's statement for a role; None if the role cannot reach the table."""
        oid = table.relation.oid
        name, known = self._prepared.get((oid, role)) or (f"visibility_{len(self._prepared)}", None)
        # A table is described again when its definition changes, and its key may have changed too.
        if known is not table:
            if not await self._connection.fetchval(_PREPARE, name, oid, list(table.key), role):
                return None
            self._prepared[oid, role] = name, table
        return name
