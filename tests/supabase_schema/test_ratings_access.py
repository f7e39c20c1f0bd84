"""Who may do what in the rating tables, proven: every table x role x verb, as PostgREST acts for a token."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2

from tests.supabase_schema.database import Session
from tests.supabase_schema.ratings import Ratings

# `rater` has the task of the row, or judged it; `mate` rates for the same tenant; `stranger` manages another
# tenant; `admin` is Tavern's and in no tenant; `owner` and `other` are members of Tavern and in no tenant.
ACCESS = """
    table                          role      select  insert  update  delete
    tenants                        anon      no      no      no      no
    tenants                        manager   yes     no      yes     no
    tenants                        rater     yes     no      no      no
    tenants                        stranger  no      no      no      no
    tenants                        admin     no      no      no      no
    tenants                        other     no      no      no      no
    tenant_invites                 anon      no      no      no      no
    tenant_invites                 manager   yes     yes     yes     yes
    tenant_invites                 rater     no      no      no      no
    tenant_invites                 stranger  no      no      no      no
    tenant_invites                 admin     no      no      no      no
    tenant_invites                 other     no      no      no      no
    rater_profiles                 anon      no      no      no      no
    rater_profiles                 manager   yes     no      no      no
    rater_profiles                 rater     yes     no      yes     no
    rater_profiles                 mate      yes     no      no      no
    rater_profiles                 stranger  no      no      no      no
    rater_profiles                 admin     no      no      no      no
    rater_profiles                 other     no      no      no      no
    rater_profiles.role            manager   -       -       yes     -
    rater_profiles.role            rater     -       -       no      -
    rater_profiles.role            stranger  -       -       no      -
    rater_profiles.tenant_id       manager   -       -       no      -
    rater_profiles.tenant_id       rater     -       -       no      -
    rater_profiles.total_judgments manager   -       -       no      -
    rater_profiles.total_judgments rater     -       -       no      -
    rating_roles                   anon      yes     no      no      no
    rating_roles                   manager   yes     no      no      no
    rating_roles                   rater     yes     no      no      no
    rating_roles                   stranger  yes     no      no      no
    rating_roles                   admin     yes     no      no      no
    rating_roles                   other     yes     no      no      no
    campaigns                      anon      no      no      no      no
    campaigns                      manager   yes     yes     yes     no
    campaigns                      rater     yes     no      no      no
    campaigns                      stranger  no      no      no      no
    campaigns                      admin     no      no      no      no
    campaigns                      other     no      no      no      no
    campaigns.tenant_id            manager   -       -       no      -
    rating_tasks                   anon      no      no      no      no
    rating_tasks                   manager   yes     no      yes     no
    rating_tasks                   rater     yes     no      no      no
    rating_tasks                   mate      yes     no      no      no
    rating_tasks                   stranger  no      no      no      no
    rating_tasks                   admin     no      no      no      no
    rating_tasks                   other     no      no      no      no
    rating_tasks.judgments_count   manager   -       -       no      -
    rating_tasks.auto_check        manager   -       -       no      -
    rating_tasks.auto_check_status manager   -       -       no      -
    rating_tasks.status            manager   -       -       yes     -
    rating_task_contents           anon      no      no      no      no
    rating_task_contents           manager   yes     no      no      no
    rating_task_contents           rater     yes     no      no      no
    rating_task_contents           mate      no      no      no      no
    rating_task_contents           stranger  no      no      no      no
    rating_task_contents           admin     no      no      no      no
    rating_task_contents           other     no      no      no      no
    rating_task_contents.judged    rater     yes     -       -       -
    rating_task_contents.judged    mate      no      -       -       -
    rating_task_contents.open      manager   yes     -       -       -
    rating_task_contents.open      rater     no      -       -       -
    rating_task_secrets            anon      no      no      no      no
    rating_task_secrets            manager   yes     no      no      no
    rating_task_secrets            rater     no      no      no      no
    rating_task_secrets            mate      no      no      no      no
    rating_task_secrets            stranger  no      no      no      no
    rating_task_secrets            admin     no      no      no      no
    rating_task_secrets            other     no      no      no      no
    rating_task_secrets.judged     rater     no      -       -       -
    task_leases                    anon      no      no      no      no
    task_leases                    manager   yes     no      no      no
    task_leases                    rater     yes     no      no      no
    task_leases                    mate      no      no      no      no
    task_leases                    stranger  no      no      no      no
    task_leases                    admin     no      no      no      no
    task_leases                    other     no      no      no      no
    judgments                      anon      no      no      no      no
    judgments                      manager   yes     no      no      no
    judgments                      rater     yes     no      no      no
    judgments                      mate      no      no      no      no
    judgments                      stranger  no      no      no      no
    judgments                      admin     no      no      no      no
    judgments                      other     no      no      no      no
    candidate_tallies              anon      no      no      no      no
    candidate_tallies              manager   yes     no      no      no
    candidate_tallies              rater     no      no      no      no
    candidate_tallies              stranger  no      no      no      no
    candidate_tallies              admin     no      no      no      no
    candidate_tallies              other     no      no      no      no
"""

ROWS = {
    "tenants": "id = %(tenant)s",
    "tenant_invites": "tenant_id = %(tenant)s",
    "rater_profiles": "user_id = %(rater)s",
    "rating_roles": "user_id = %(rater)s",
    "campaigns": "id = %(campaign)s",
    "rating_tasks": "id = %(claimed)s",
    "rating_task_contents": "task_id = %(claimed)s",
    "rating_task_contents.judged": "task_id = %(judged)s",
    "rating_task_contents.open": "task_id = %(open)s",
    "rating_task_secrets": "task_id = %(claimed)s",
    "rating_task_secrets.judged": "task_id = %(judged)s",
    "task_leases": "task_id = %(claimed)s",
    "judgments": "task_id = %(judged)s",
    "candidate_tallies": "campaign_id = %(campaign)s and first = 'one'",
}
SETS = {
    "tenants": "name = 'Acme II'",
    "tenant_invites": "uses_left = 3",
    "rater_profiles": "name = 'Somebody'",
    "rater_profiles.role": "role = 'manager'",
    "rater_profiles.tenant_id": "tenant_id = 'elsewhere'",
    "rater_profiles.total_judgments": "total_judgments = 1000",
    "rating_roles": "role = 'manager'",
    "campaigns": "name = 'Another name'",
    "campaigns.tenant_id": "tenant_id = 'elsewhere'",
    "rating_tasks": "priority = 7",
    "rating_tasks.judgments_count": "judgments_count = 1",
    "rating_tasks.auto_check": "auto_check = '{}'",
    "rating_tasks.auto_check_status": "auto_check_status = 'passed'",
    "rating_tasks.status": "status = 'withdrawn'",
    "rating_task_contents": "prompt = 'Something else'",
    "rating_task_secrets": "gold_verdict = 'B'",
    "task_leases": "expires_at = now() + interval '1 day'",
    "judgments": "verdict = 'B'",
    "candidate_tallies": "first_wins = 100",
}
INSERTS = {
    "tenants": "insert into public.tenants (id, name) values ('evil_corp', 'Evil')",
    "tenant_invites": "insert into public.tenant_invites (tenant_id) values (%(tenant)s)",
    "rater_profiles": "insert into public.rater_profiles (user_id, tenant_id, rater_id, name, role)"
    " values (%(me)s, %(tenant)s, 'me', 'Me', 'manager')",
    "rating_roles": "insert into public.rating_roles (user_id, role) values (%(me)s, 'manager')",
    "campaigns": "insert into public.campaigns (tenant_id, name) values (%(tenant)s, 'Mine')",
    "rating_tasks": "insert into public.rating_tasks (tenant_id, campaign_id, task_type)"
    " values (%(tenant)s, %(campaign)s, 'sql')",
    "rating_task_contents": "insert into public.rating_task_contents"
    " (task_id, tenant_id, prompt, candidate_a, candidate_b) values (%(open)s, %(tenant)s, 'x', '1', '2')",
    "rating_task_secrets": "insert into public.rating_task_secrets (task_id, tenant_id, name_a, name_b)"
    " values (%(open)s, %(tenant)s, 'a', 'b')",
    "task_leases": "insert into public.task_leases"
    " (tenant_id, campaign_id, task_id, user_id, rater_id, expires_at)"
    " values (%(tenant)s, %(campaign)s, %(open)s, %(me)s, 'me', now() + interval '1 hour')",
    "judgments": "insert into public.judgments (tenant_id, campaign_id, task_id, user_id, rater_id, verdict)"
    " values (%(tenant)s, %(campaign)s, %(open)s, %(me)s, 'me', 'A')",
    "candidate_tallies": "insert into public.candidate_tallies (tenant_id, campaign_id, first, second)"
    " values (%(tenant)s, %(campaign)s, 'a', 'b')",
}
TABLES = frozenset(INSERTS)


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the table."""

    table: str
    role: str
    verb: str
    allowed: bool

    def __str__(self) -> str:
        return f"{self.table}-{self.role}-{'may' if self.allowed else 'may not'} {self.verb}"

    @property
    def statement(self) -> str:
        """What the person of the cell tries."""
        table = self.table.partition(".")[0]
        where = ROWS.get(self.table) or ROWS[table]
        match self.verb:
            case "select":
                return f"select from public.{table} where {where}"
            case "update":
                return f"update public.{table} set {SETS[self.table]} where {where}"
            case "delete":
                return f"delete from public.{table} where {where}"
            case _:
                return INSERTS[table]


def cells() -> list[Case]:
    """Read the table."""
    header, *lines = (line.split() for line in ACCESS.strip().splitlines())
    return [
        Case(line[0], line[1], verb, answer == "yes")
        for line in lines
        for verb, answer in zip(header[2:], line[2:], strict=True)
        if answer != "-"
    ]


def touches_a_row(db: Session, case: Case, values: dict[str, str | None]) -> bool:
    """Tell whether the statement did anything; only a missing right may be the reason when not."""
    try:
        with db.connection.cursor() as cursor:
            cursor.execute(case.statement, values)
            return cursor.rowcount > 0
    except psycopg2.errors.InsufficientPrivilege:
        return False


def test_every_cell_of_the_access_table(db: Session, ratings: Ratings) -> None:
    wrong = []
    for case in cells():
        me = ratings.people.get(case.role)
        db.run("savepoint cell")
        db.act_as(me)
        done = touches_a_row(db, case, {**ratings.values, "me": me or ratings.people["other"]})
        db.run("rollback to savepoint cell")
        db.act_as_owner()
        if done is not case.allowed:
            wrong.append(str(case))
    assert wrong == []


def test_every_rating_table_is_in_the_access_table() -> None:
    for table in TABLES:
        verbs = {(case.role, case.verb) for case in cells() if case.table == table}
        for role in ("anon", "manager", "rater", "stranger", "admin", "other"):
            assert {verb for who, verb in verbs if who == role} == {"select", "insert", "update", "delete"}
