"""A person for each role, with the rows that the access tables speak of, and tokens to act with."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import jwt

from local_supabase.keys import load_keys
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from tests.security.matrix.expected import MORE_ROLES
from tests.security.matrix.rows import Key, Record, Rows
from tests.supabase_schema import people_access, ratings_access
from tests.supabase_schema.access import AccessTable, Case, filled
from tests.supabase_schema.database import new_person, new_world, session
from tests.supabase_schema.ratings import new_rater, new_ratings

TABLES = (people_access.TABLE, ratings_access.TABLE)
_MORE = AccessTable(MORE_ROLES, {}, {}, {})
VISITOR = "anon"
LIKE_A_MEMBER = "other"
"""A role without a line of its own for a table may do there what this one may."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The people by role, besides the visitor, and the values of their rows.

    `former_admin` was an admin. `suspended` rated for the tenant of `manager`, `rater` and `mate`, and
    `brand_rater` rates for one brand of it. `stranger` manages another tenant; `stranger_rater` rates there.
    """

    stack: StackInfo
    people: Mapping[str, str]
    values: Mapping[str, str]
    tokens: Mapping[str, str]

    @property
    def roles(self) -> list[str]:
        """All roles, the visitor first."""
        return [VISITOR, *self.people]

    def headers(self, role: str) -> dict[str, str]:
        """Return the headers of a request by a person of this role."""
        return {"apikey": self.stack.anon_key, "Authorization": f"Bearer {self.tokens[role]}"}

    def world(self, case: Case) -> dict[str, str]:
        """Return the values for a cell: `name` is who acts, or whom a forgery names."""
        name = self.people.get(case.role) or self.people["recipient"]
        if case.verb == "forge":
            name = next(self.people[role] for role in ("other", "recipient") if role != case.role)
        third = next(person for person in self.people.values() if person != name)
        return {**self.values, "name": name, "third": third, "fresh": str(uuid.uuid4())}

    def records(self, rows: Rows) -> list[tuple[str, Record]]:
        """Return the rows that the access tables speak of, each with its table."""
        found: dict[tuple[str, Key], Record] = {}
        for table in TABLES:
            for name, row in table.rows.items():
                relation = name.partition(".")[0]
                for record in rows.find(relation, filled(row, self.values)):
                    found[relation, rows.key(relation, record)] = record
        return [(relation, record) for (relation, _), record in found.items()]


def new_cast(stack: StackInfo) -> Cast:
    """Make the people and rows, and commit them."""
    with session(stack.database_url) as owner:
        world, ratings = new_world(owner), new_ratings(owner)
        people = {**ratings.people, **world.people}
        people["former_admin"] = new_person(owner, "former admin", "admin")
        people["suspended"] = new_rater(owner, ratings.tenant, "Suspended", role="manager")
        people["brand_rater"] = new_rater(owner, ratings.tenant, "Brandon", brand="acme")
        elsewhere = owner.value(
            "select tenant_id from public.rater_profiles where user_id = %s", people["stranger"]
        )
        people["stranger_rater"] = new_rater(owner, str(elsewhere), "Vic")
        owner.commit()
        owner.run("update public.users set role = 'member' where id = %s", people["former_admin"])
        owner.run("update public.rater_profiles set active = false where user_id = %s", people["suspended"])
        hidden = owner.value(
            "insert into public.tavern_messages (author_id, body) values (%s, 'Rude') returning id",
            people["owner"],
        )
        owner.run("update public.tavern_messages set hidden_at = now() where id = %s", hidden)
        owner.commit()
    values = {"hidden": str(hidden), **ratings.values, **world.values, **people}
    return Cast(stack, people, values, _tokens(stack, people))


def _tokens(stack: StackInfo, people: Mapping[str, str]) -> dict[str, str]:
    """Sign in everybody without their passwords, whose hashes would take seconds."""
    secret = load_keys(DataDir(stack.data_dir)).jwt_secret
    now = int(time.time())
    claims = {"role": "authenticated", "aud": "authenticated", "iat": now, "exp": now + 3600}
    tokens = {
        role: jwt.encode({**claims, "sub": person}, secret, algorithm="HS256")
        for role, person in people.items()
    }
    return {VISITOR: stack.anon_key, **tokens}


def remove(cast: Cast) -> None:
    """Delete the people, with all that is theirs, and the tenants."""
    people = list(cast.people.values())
    with session(cast.stack.database_url) as owner:
        owner.run(
            "delete from public.tenants where id in"
            " (select tenant_id from public.rater_profiles where user_id = any (%s::uuid[]))",
            people,
        )
        owner.run("delete from public.model_prices where provider = 'acme'")
        for person in people:  # one after the other: an event passes to a co-host, who must still be there
            owner.run("delete from auth.users where id = %s", person)
        owner.commit()


def cells(roles: Iterable[str]) -> list[tuple[AccessTable, Case]]:
    """Return every cell for every role. Who has no line for a table may do what a member may."""
    made = []
    for table in TABLES:
        for name in dict.fromkeys(case.table for case in table.cells):
            lines = [case for case in (*table.cells, *_MORE.cells) if case.table == name]
            for role in roles:
                own = [case for case in lines if case.role == role]
                if not own and role != VISITOR and "." not in name:
                    own = [replace(case, role=role) for case in lines if case.role == LIKE_A_MEMBER]
                made += [(table, case) for case in own]
    return made
