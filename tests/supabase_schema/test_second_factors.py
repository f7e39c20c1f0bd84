"""Who has a second factor and has not entered its code is nobody: every table and verb; recovery codes."""

import re
import uuid

import psycopg2
import pytest

from tests.supabase_schema import people_access
from tests.supabase_schema.access import Case
from tests.supabase_schema.database import Session, World, message
from tests.supabase_schema.test_access import touches_a_row

PUBLIC = frozenset(
    case.relation
    for case in people_access.TABLE.cells
    if case.allowed and (case.role, case.verb) == ("anon", "select")
)
"""Tables that visitors read as well."""


def give_factor(db: Session, person: str, status: str = "verified") -> None:
    """Give a person a second factor, as Auth stores it."""
    db.run(
        "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at, secret)"
        " values (gen_random_uuid(), %s, 'totp', %s, now(), now(), 'JBSWY3DPEHPK3PXP')",
        person,
        status,
    )


def give_session(db: Session, person: str) -> str:
    """Sign a person in, as Auth stores it; return the id of the session."""
    session_id = str(uuid.uuid4())
    db.run(
        "insert into auth.sessions (id, user_id, created_at, updated_at) values (%s, %s, now(), now())",
        session_id,
        person,
    )
    return session_id


def refused_cells(db: Session, world: World) -> list[Case]:
    """Return the cells that are allowed by the table and touch no row."""
    refused = []
    for case in people_access.TABLE.cells:
        if not case.allowed or case.role == "anon":
            continue
        db.run("savepoint cell")
        if not touches_a_row(db, world, case):
            refused.append(case)
        db.run("rollback to savepoint cell")
        db.act_as_owner()
    return refused


def test_without_the_code_members_may_do_what_visitors_may(db: Session, world: World) -> None:
    for person in world.people.values():
        give_factor(db, person)
    allowed = {
        case
        for case in people_access.TABLE.cells
        if case.allowed and case.role != "anon" and (case.relation not in PUBLIC or case.verb != "select")
    }
    assert set(refused_cells(db, world)) == allowed


def test_a_factor_that_is_not_verified_changes_nothing(db: Session, world: World) -> None:
    for person in world.people.values():
        give_factor(db, person, "unverified")
    assert refused_cells(db, world) == []


@pytest.mark.parametrize(("level", "found"), [("aal2", 1), ("aal1", 0), ("", 0), ("AAL2", 0), ("aal3", 0)])
def test_the_level_of_the_token_decides(db: Session, world: World, level: str, found: int) -> None:
    owner = world.people["owner"]
    give_factor(db, owner)
    db.act_as(owner, aal=level)
    assert db.run("select from public.private_messages where id = %s", world.values["private"]) == found


def test_the_factors_of_others_are_no_obstacle(db: Session, world: World) -> None:
    give_factor(db, world.people["recipient"])
    db.act_as(world.people["owner"], aal="aal1")
    assert db.run("select from public.private_messages where id = %s", world.values["private"]) == 1


def test_an_admin_without_the_code_is_no_admin(db: Session, world: World) -> None:
    give_factor(db, world.people["admin"])
    db.act_as(world.people["admin"], aal="aal1")
    assert db.run("select from public.change_log") == 0
    assert db.run("update public.users set role = 'admin' where id = %s", world.people["other"]) == 0


def test_without_the_code_one_is_told_of_no_private_change(db: Session, world: World) -> None:
    owner, recipient = world.people["owner"], world.people["recipient"]
    give_factor(db, owner)
    cursor = db.changes_since(None)["cursor"]
    assert isinstance(cursor, str)
    db.run(
        "insert into public.private_messages (sender_id, recipient_id, body) values (%s, %s, 'psst')",
        recipient,
        owner,
    )
    told = {}
    for level in ("aal1", "aal2"):
        db.act_as(owner, aal=level)
        changes = db.changes_since(cursor)["changes"]
        assert isinstance(changes, list)
        told[level] = [change for change in changes if change["table"] == "private_messages"]
        db.act_as_owner()
    assert told["aal1"] == []
    assert told["aal2"] != []


def test_the_rule_costs_one_look_for_all_rows(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    plan = [str(line) for (line,) in db.rows("explain (costs off) select * from public.private_messages")]
    assert [line for line in plan if "is_assured" in line and "InitPlan" not in line] == []
    assert [line for line in plan if "InitPlan" in line] != []


@pytest.fixture
def codes(db: Session, world: World) -> list[str]:
    """Give the owner a factor and recovery codes."""
    give_factor(db, world.people["owner"])
    return new_codes(db, world)


def new_codes(db: Session, world: World) -> list[str]:
    """Return new recovery codes of the owner."""
    owner = world.people["owner"]
    db.act_as(owner, aal="aal2", session_id=give_session(db, owner))
    made = db.value("select public.new_recovery_codes()")
    db.act_as_owner()
    assert isinstance(made, list)
    return made


def use(db: Session, world: World, code: str | None, role: str = "owner") -> object:
    """Use a recovery code in a session with the password alone."""
    person = world.people[role]
    db.act_as(person, aal="aal1", session_id=give_session(db, person))
    answer = db.value("select public.use_recovery_code(%s)", code)
    db.act_as_owner()
    return answer


def factors(db: Session, world: World) -> object:
    """Return how many factors the owner has."""
    return db.value("select count(*) from auth.mfa_factors where user_id = %s", world.people["owner"])


def test_there_are_ten_recovery_codes_and_all_differ(codes: list[str]) -> None:
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([0-9a-f]{4}-){4}[0-9a-f]{4}", code) for code in codes)


def test_the_database_keeps_no_recovery_code(db: Session, world: World, codes: list[str]) -> None:
    stored = str(db.rows("select to_jsonb(code) from private.recovery_codes as code"))
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_nobody_reads_the_hashes(db: Session, world: World, codes: list[str], role: str) -> None:
    db.act_as(world.people["owner"] if role == "authenticated" else None, role=role)
    assert db.refusal("select * from private.recovery_codes").pgcode == "42501"


def test_a_recovery_code_removes_the_factor_and_ends_the_other_sign_ins(
    db: Session, world: World, codes: list[str]
) -> None:
    assert use(db, world, codes[3]) is True
    assert factors(db, world) == 0
    owner = world.people["owner"]
    assert db.value("select count(*) from auth.sessions where user_id = %s", owner) == 1
    db.act_as(owner, aal="aal1")
    assert db.run("select from public.private_messages where id = %s", world.values["private"]) == 1


def test_a_recovery_code_may_be_typed_in_other_ways(db: Session, world: World, codes: list[str]) -> None:
    assert use(db, world, f"  {codes[0].upper().replace('-', ' ')} ") is True


def test_a_recovery_code_is_used_once_and_the_others_go_with_it(
    db: Session, world: World, codes: list[str]
) -> None:
    assert use(db, world, codes[0]) is True
    give_factor(db, world.people["owner"])
    assert [use(db, world, code) for code in codes[:2]] == [False, False]
    assert factors(db, world) == 1


@pytest.mark.parametrize("code", [None, "", "----", "0000-0000-0000-0000-0000", "x" * 100_000])
def test_a_wrong_recovery_code_changes_nothing(
    db: Session, world: World, codes: list[str], code: str | None
) -> None:
    assert use(db, world, code) is False
    assert factors(db, world) == 1


def test_a_recovery_code_is_of_one_person(db: Session, world: World, codes: list[str]) -> None:
    give_factor(db, world.people["other"])
    assert use(db, world, codes[0], "other") is False
    assert use(db, world, codes[0]) is True


def test_codes_of_a_factor_that_was_removed_do_not_open_a_later_one(
    db: Session, world: World, codes: list[str]
) -> None:
    owner = world.people["owner"]
    db.run(
        "update private.recovery_codes set created_at = now() - interval '1 day' where user_id = %s", owner
    )
    assert use(db, world, codes[0]) is False


def test_new_recovery_codes_replace_the_old_ones(db: Session, world: World, codes: list[str]) -> None:
    fresh = new_codes(db, world)
    assert use(db, world, codes[0]) is False
    assert use(db, world, fresh[0]) is True


def test_recovery_codes_are_for_who_has_entered_a_code(db: Session, world: World, codes: list[str]) -> None:
    owner = world.people["owner"]
    session_id = give_session(db, owner)
    db.act_as(owner, aal="aal1", session_id=session_id)
    assert db.value("select public.recovery_codes_left()") == 0
    assert db.refusal("select public.new_recovery_codes()").pgcode == "42501"
    db.act_as_owner()
    db.act_as(owner, aal="aal2", session_id=session_id)
    assert db.value("select public.recovery_codes_left()") == 10


def test_recovery_codes_need_a_factor(db: Session, world: World) -> None:
    other = world.people["other"]
    db.act_as(other, session_id=give_session(db, other))
    assert message(db.refusal("select public.new_recovery_codes()")) == "Set up two-step sign-in first."


def test_a_recovery_code_needs_a_session_that_has_not_ended(
    db: Session, world: World, codes: list[str]
) -> None:
    db.act_as(world.people["owner"], aal="aal1", session_id=str(uuid.uuid4()))
    refused = db.refusal("select public.use_recovery_code(%s)", codes[0])
    assert isinstance(refused, psycopg2.errors.InsufficientPrivilege)
