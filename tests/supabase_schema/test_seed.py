"""The demo data of local stacks."""

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.supabase_schema.database import message, session
from tests.support.people import anonymous_client
from tests.support.stack import PROJECT

SEED = (PROJECT / "seed.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "role"), [("ada", "admin"), ("bo", "organizer"), ("cy", "member")])
def test_the_demo_people_can_sign_in(stack: StackInfo, name: str, role: str) -> None:
    client = anonymous_client(stack)
    email = f"{name}@tavern.example"
    answer = client.auth.sign_in_with_password({"email": email, "password": "tavern-demo"})
    assert answer.user is not None
    profile = client.table("users").select("display_name, role").eq("id", answer.user.id).execute()
    assert profile.data == [{"display_name": name.title(), "role": role}]
    user = client.auth.get_user()
    assert user is not None
    assert [identity.provider for identity in user.user.identities or []] == ["email"]


def test_the_seed_fills_an_empty_database(hosted: str) -> None:
    with session(hosted) as owner:
        owner.run(SEED)
        counts = {
            table: owner.value(f"select count(*) from public.{table}")
            for table in ("users", "events", "event_cohosts", "rsvps", "tavern_messages", "private_messages")
        }
        assert counts == {
            "users": 7,
            "events": 9,
            "event_cohosts": 2,
            "rsvps": 34,
            "tavern_messages": 25,
            "private_messages": 8,
        }
        assert owner.value("select count(*) from public.events where ends_at < now()") == 2
        assert owner.rows("select distinct time_zone from public.events order by 1") == [
            ("America/New_York",),
            ("Europe/Berlin",),
        ]
        assert owner.value("select count(*) from public.events where cancelled_at is not null") == 1
        assert owner.value("select count(*) from public.change_log where changed_at > now()") == 0
        tokens = "confirmation_token, recovery_token, email_change_token_new, email_change"
        complete = owner.value(
            f"select bool_and(num_nulls({tokens}, encrypted_password) = 0) from auth.users"
        )
        assert complete is True
        cursor = owner.value("select (complete_from::text::bigint - 1)::text from private.change_log_state")
        assert owner.changes_since(str(cursor))["resync"] is True


@pytest.mark.parametrize(
    ("machine", "house"),
    [
        ("America/Los_Angeles", "America/Los_Angeles"),
        ("Etc/UTC", "Europe/Berlin"),
    ],
)
def test_the_demo_events_are_at_sensible_hours_where_the_demo_runs(
    hosted: str, machine: str, house: str
) -> None:
    with session(hosted) as owner:
        owner.run("select set_config('local_supabase.time_zone', %s, false)", machine)
        owner.run(SEED)
        hours = owner.rows(
            "select (starts_at at time zone %s)::time::text, (ends_at at time zone %s)::time::text "
            "from public.events order by id",
            house,
            house,
        )
    assert hours == [
        ("19:30:00", "22:00:00"),
        ("18:00:00", "21:00:00"),
        ("20:00:00", "22:00:00"),
        ("11:00:00", "15:00:00"),
        ("20:00:00", "21:30:00"),
        ("20:00:00", "23:00:00"),
        ("10:00:00", "15:00:00"),
        ("19:00:00", "20:00:00"),
        ("19:00:00", "22:00:00"),
    ]


def test_the_seed_refuses_a_database_with_accounts(stack: StackInfo) -> None:
    with session(stack.database_url) as owner:
        assert message(owner.refusal(SEED)) == (
            "The demo data is for an empty database, and this one has accounts."
        )
