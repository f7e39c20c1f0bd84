"""Routing metrics: inserted once, summed exactly by the database, and who gets their changes."""

import random
import threading
from decimal import Decimal

import pytest

from db.routing.models import BUCKET
from tests.supabase_schema.database import Session, World, message, new_person, session

INSERT = "insert into public.routing_metrics (request_id, provider, cost, latency_ms, model, route)"
ON_CONFLICT = "on conflict (user_id, request_id) do nothing"
SUMS = (
    "select provider, model, route, requests, errors, cost, input_tokens, latencies"
    " from public.routing_daily where user_id = %s and provider <> 'acme' order by 1, 2, 3"
)


def add(db: Session, request: str, provider: str = "p", cost: str = "0.1", latency: int | None = 100) -> int:
    """Insert a routing decision, as a collector does."""
    values = f"values (%s, %s, %s, %s, 'm', 'r') {ON_CONFLICT}"
    return db.run(f"{INSERT} {values}", request, provider, cost, latency)


def test_a_request_counts_once_however_often_it_is_inserted(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    assert [add(db, "a"), add(db, "b"), add(db, "a", cost="5")] == [1, 1, 0]
    assert db.rows(SUMS, world.people["owner"]) == [("p", "m", "r", 2, 0, Decimal("0.2"), 0, {"48": 2})]
    db.act_as_owner()
    db.act_as(world.people["other"])
    assert add(db, "a") == 1  # another person's request of the same id


def test_one_statement_inserts_many_days_models_and_results(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    db.run(
        "insert into public.routing_metrics (request_id, provider, model, timestamp, cost, success,"
        " error_kind, fallback, fallback_from, auto_route, input_tokens, output_tokens, dropped) values"
        " ('1', 'p', 'm', '2026-01-31 23:59:59.9+00', 0.000000001, true, null, false, null, true, 1, 2, 3),"
        " ('2', 'p', 'm', '2026-02-01 00:30:00+01', 1, false, 'timeout', false, null, false, 10, 20, 0),"
        " ('3', 'p', 'm', '2026-02-01 00:00:00+00', 2, true, null, true, 'l', false, 100, 200, 0)"
    )
    assert db.rows(
        "select day::text, requests, errors, fallbacks, auto_routed, dropped, input_tokens, output_tokens,"
        " cost, latencies from public.routing_daily where provider = 'p' order by day"
    ) == [
        ("2026-01-31", 2, 1, 0, 1, 3, 11, 22, Decimal("1.000000001"), {}),
        ("2026-02-01", 1, 0, 1, 0, 0, 100, 200, Decimal(2), {}),
    ]


def test_a_timestamp_in_the_future_becomes_the_current_time(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    insert = "insert into public.routing_metrics (request_id, provider, model, timestamp)"
    db.run(f"{insert} values ('a', 'p', 'm', '2099-01-01')")
    assert db.value("select timestamp = now() from public.routing_metrics where request_id = 'a'") is True


def test_nobody_changes_a_routing_decision(db: Session, world: World) -> None:
    refusal = db.refusal("update public.routing_metrics set cost = 0 where id = %s", world.metric)
    assert message(refusal) == "What was routed cannot be changed."
    refusal = db.refusal(
        "update public.routing_daily set provider = 'x' where user_id = %s", world.people["owner"]
    )
    assert message(refusal) == "What the sums of a day are of cannot be changed."
    for person in ("owner", "admin"):
        db.act_as_owner()
        db.act_as(world.people[person])
        for table in ("routing_metrics", "routing_daily"):
            for verb in (f"update public.{table} set cost = 0", f"delete from public.{table}"):
                assert db.refusal(verb).pgcode == "42501"


def test_pruned_decisions_stay_in_the_sums(db: Session, world: World) -> None:
    me = world.people["owner"]
    db.act_as(me)
    add(db, "a")
    db.act_as_owner()
    old = "insert into public.routing_metrics (user_id, request_id, provider, model, timestamp)"
    db.run(f"{old} values (%s, 'old', 'p', 'm', now() - interval '401 days')", me)
    before = db.rows(SUMS, me)
    count = "select count(*) from public.routing_metrics where user_id = %s"
    assert db.value(count, me) == 3
    assert isinstance(db.value("select public.prune_routing_metrics()"), int)
    assert db.value(count, me) == 2
    assert db.rows(SUMS, me) == before
    assert db.refusal("select public.prune_routing_metrics('-1 day')").pgcode == "22023"
    db.act_as(world.people["admin"])
    assert db.refusal("select public.prune_routing_metrics()").pgcode == "42501"


def test_the_database_and_the_app_use_the_same_latency_buckets(db: Session) -> None:
    db.run("grant usage on schema private to current_user")
    for latency in (0, 1, 2, 99, 100, 640, 30_000, 86_400_000):
        bucket = db.value("select private.latency_bucket(%s)", latency)
        assert isinstance(bucket, int)
        assert BUCKET**bucket <= max(latency, 1) * 1.000001 < BUCKET ** (bucket + 1) * 1.000002


def test_concurrent_batches_neither_deadlock_nor_lose_a_decision(dsn: str) -> None:
    with session(dsn) as owner:
        me = new_person(owner, "busy")
        owner.commit()
    errors: list[Exception] = []

    def send(thread: int) -> None:
        luck = random.Random(thread)
        with session(dsn) as db:
            for batch in range(8):
                providers = [f"p{number % 5}" for number in luck.sample(range(20), 20)]
                values = ", ".join(
                    f"('{thread}-{batch}-{n}', '{p}', 'm', 1)" for n, p in enumerate(providers)
                )
                try:
                    db.act_as(me)
                    db.run(
                        "insert into public.routing_metrics (request_id, provider, model, cost)"
                        f" values {values} {ON_CONFLICT}"
                    )
                    db.commit()
                except Exception as error:
                    errors.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with session(dsn) as owner:
        found = "select sum(requests), sum(cost), count(*) from public.routing_daily where user_id = %s"
        assert owner.rows(found, me) == [(640, Decimal(640), 5)]
        owner.run("delete from auth.users where id = %s", me)
        assert owner.rows(found, me) == [(None, None, 0)]
        owner.commit()


def test_there_is_one_budget_for_each_period_and_provider(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    insert = (
        "insert into public.routing_budgets (period, provider, soft_limit, hard_limit) values (%s, %s, 1, 2)"
    )
    assert db.refusal(insert, "month", None).pgcode == "23505"  # also when the provider is null
    assert [db.run(insert, "month", "p"), db.run(insert, "day", None)] == [1, 1]


@pytest.mark.parametrize(
    ("role", "visible"), [("owner", True), ("admin", True), ("other", False), ("visitor", False)]
)
def test_the_owner_and_admins_catch_up_on_decisions(
    db: Session, world: World, role: str, visible: bool
) -> None:
    cursor = str(db.changes_since(None)["cursor"])
    db.act_as(world.people["owner"])
    add(db, "a", "Top secret")
    db.run("update public.routing_budgets set hard_limit = 99 where id = %s", world.budget)
    db.act_as_owner()
    assert "Top secret" not in str(db.rows("select entry::text from public.change_log as entry"))
    db.act_as(world.people.get(role))
    changes = db.changes_since(cursor)["changes"]
    assert isinstance(changes, list)
    tables = {change["table"] for change in changes}
    assert ({"routing_metrics", "routing_daily"} <= tables) is visible
    assert ("routing_budgets" in tables) is (role == "owner")
