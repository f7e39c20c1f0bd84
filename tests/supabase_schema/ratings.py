"""Two tenants and their members, for the tests of the rating tables."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from tests.supabase_schema.database import Session, message, new_person

Task = Mapping[str, object]

OVER = "update public.task_leases set expires_at = clock_timestamp() - interval '1 second' where task_id = %s"


@dataclass(frozen=True, slots=True)
class Ratings:
    """A tenant with a manager, a rater and a mate who rates too. The stranger manages another tenant.

    The task `claimed` is leased to the rater, `judged` has the rater's judgment, `open` has neither. The
    admin is an admin of Tavern, without a tenant.
    """

    tenant: str
    people: Mapping[str, str]
    campaign: str
    claimed: str
    judged: str
    open: str

    @property
    def values(self) -> dict[str, str]:
        """The ids by name, for named placeholders."""
        ids = {"campaign": self.campaign, "claimed": self.claimed, "judged": self.judged, "open": self.open}
        return {"tenant": self.tenant, **self.people, **ids}


def new_tenant_id(prefix: str) -> str:
    """Return an id for a tenant that no other test uses."""
    return f"{prefix}_{uuid.uuid4().hex[:10]}"


def new_tenant(owner: Session, manager: str) -> str:
    """Create a tenant."""
    tenant = new_tenant_id("acme")
    owner.act_as(manager)
    owner.value("select public.create_tenant(%s, 'Acme')", tenant)
    owner.act_as_owner()
    return tenant


def new_rater(
    owner: Session, tenant: str, name: str, *, role: str = "rater", brand: str | None = None
) -> str:
    """Create an account with an invitation, as the Auth service does."""
    code = owner.value(
        "insert into public.tenant_invites (tenant_id, role, brand_id) values (%s, %s, %s) returning code",
        tenant, role, brand,
    )  # fmt: skip
    person = str(uuid.uuid4())
    metadata = {
        "tenant_id": tenant,
        "rater_id": new_tenant_id(name.lower()),
        "name": name,
        "invite_code": code,
    }
    owner.run(
        "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
        person, f"{person}@people.example", json.dumps(metadata),
    )  # fmt: skip
    return person


def new_campaign(owner: Session, tenant: str, **settings: object) -> str:
    """Create an active campaign."""
    values = {"tenant_id": tenant, "name": "Tool calls", "status": "active", **settings}
    columns = ", ".join(values)
    places = ", ".join("%s" for _ in values)
    sql = f"insert into public.campaigns ({columns}) values ({places}) returning id"
    return str(owner.value(sql, *values.values()))


def task(**given: object) -> Task:
    """Return a task for `create_rating_tasks()`."""
    return {
        "id": str(uuid.uuid4()),
        "task_type": "tool_call_qa",
        "prompt": "Which call is right?",
        "candidate_a": {"call": "weather", "arguments": {"city": "Lima"}},
        "candidate_b": "weather(Lima)",
        "name_a": "base",
        "name_b": "adapter v1",
        "model_a": "secret-model-a",
        **given,
    }


def add_tasks(owner: Session, manager: str, campaign: str, *tasks: Task) -> list[str]:
    """Add tasks as the manager; return their ids."""
    owner.act_as(manager)
    owner.value("select public.create_rating_tasks(%s, %s)", campaign, json.dumps(tasks))
    owner.act_as_owner()
    return [str(given["id"]) for given in tasks]


def claim(session: Session, rater: str, campaign: str) -> str | None:
    """Claim a task as the rater, and keep acting as the rater; return the task's id."""
    session.act_as_owner()
    session.act_as(rater)
    answer = session.value("select public.claim_task(%s)", campaign)
    assert answer is None or isinstance(answer, dict)
    return str(answer["task"]["id"]) if answer else None


def judge(session: Session, rater: str, task_id: str, verdict: str = "A", comment: str = "") -> None:
    """Judge a task as the rater."""
    session.act_as_owner()
    session.act_as(rater)
    session.value("select public.submit_judgment(%s, %s, %s)", task_id, verdict, comment)
    session.act_as_owner()


def new_ratings(owner: Session) -> Ratings:
    """Create the tenants, people and tasks in the current transaction."""
    manager, stranger = new_person(owner, "manager"), new_person(owner, "stranger")
    tenant = new_tenant(owner, manager)
    new_tenant(owner, stranger)
    people = {
        "manager": manager,
        "stranger": stranger,
        "rater": new_rater(owner, tenant, "Rater"),
        "mate": new_rater(owner, tenant, "Mate"),
        "admin": new_person(owner, "admin", "admin"),
        "owner": new_person(owner, "owner"),
        "other": new_person(owner, "other"),
    }
    campaign = new_campaign(owner, tenant)
    judged, claimed, free = add_tasks(owner, manager, campaign, task(priority=2), task(priority=1), task())
    assert claim(owner, people["rater"], campaign) == judged
    judge(owner, people["rater"], judged, "A", "Better")
    assert claim(owner, people["rater"], campaign) == claimed
    owner.act_as_owner()
    owner.run(
        "insert into public.candidate_tallies (tenant_id, campaign_id, first, second)"
        " values (%s, %s, 'one', 'two')",
        tenant, campaign,
    )  # fmt: skip
    return Ratings(tenant, people, campaign, claimed, judged, free)


def refused(db: Session, person: str, sql: str, *values: object) -> str:
    """Execute a statement that must fail for a person; return the message."""
    db.act_as_owner()
    db.act_as(person)
    text = message(db.refusal(sql, *values))
    db.act_as_owner()
    return text


def answer_of(db: Session, person: str, sql: str, *values: object) -> dict[str, object]:
    """Execute a query as a person; return its JSON object."""
    db.act_as_owner()
    db.act_as(person)
    answer = db.value(sql, *values)
    db.act_as_owner()
    assert isinstance(answer, dict)
    return answer


def status(db: Session, task_id: str) -> tuple[object, ...]:
    """Return the status of a task and the number of its judgments."""
    (row,) = db.rows("select status, judgments_count from public.rating_tasks where id = %s", task_id)
    return row
