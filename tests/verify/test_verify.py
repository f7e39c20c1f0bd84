"""After every write, the tables that the engine holds equal a fresh load."""

import inspect
from functools import partial

import pytest

from db.agents import requests as agent_requests
from db.agents import runs as agent_runs
from db.auth.accounts import SignedIn
from db.hub import event_messages, events, private_messages, rsvps, tavern_messages, users
from db.ratings import campaigns as rating_campaigns
from db.ratings import judgments as rating_judgments
from db.ratings import tenants as rating_tenants
from db.routing import budgets as routing_budgets
from db.routing import prices as routing_prices
from livetables.engine import Engine
from tests.support.wait import wait_for
from tests.verify.cast import Cast
from tests.verify.followers import Followers
from tests.verify.oracle import Tables, difference, held_by_engine, held_by_store
from tests.verify.paths import (
    PATHS,
    WritePath,
    a_message_is_hidden,
    a_message_is_posted,
    a_private_message_is_sent,
    a_publisher_reports_on_a_run,
)
from tests.verify.rating_paths import tasks_are_claimed_and_judged
from tests.verify.routing_paths import (
    budgets_are_set_changed_and_removed,
    decisions_are_routed_and_old_ones_pruned,
)


def wait_until_all_hold_a_fresh_load(engine: Engine, cast: Cast) -> None:
    """Wait until each person's tables equal a fresh load of their own."""
    for name, person in cast.readers.items():
        expected = cast.oracle.fresh_load(person)
        try:
            wait_for(partial(_equal, expected, engine, person), within=60, what=f"{name} to see a fresh load")
        except AssertionError as error:
            wrong = difference(expected, held_by_engine(engine, person))
            raise AssertionError(f"{error}\n{wrong}") from None


def _equal(expected: Tables, engine: Engine, person: SignedIn | None) -> bool:
    return not difference(expected, held_by_engine(engine, person))


def repaired(engine: Engine, cast: Cast) -> int:
    """Return how many changes catching up has repaired so far."""
    return sum(engine.status(person.user_id if person else None).repaired for person in cast.readers.values())


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_the_stream_brings_every_write_to_all_people(engine: Engine, cast: Cast, path: WritePath) -> None:
    path.act(cast)
    wait_until_all_hold_a_fresh_load(engine, cast)
    assert repaired(engine, cast) == 0


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_the_returned_row_and_its_change_are_applied_once(
    engine: Engine, cast: Cast, path: WritePath
) -> None:
    for table, record, writer in path.act(cast):
        engine.apply_written(table, record, writer.user_id)
    wait_until_all_hold_a_fresh_load(engine, cast)
    assert repaired(engine, cast) == 0


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_catching_up_alone_brings_every_write(followers: Followers, cast: Cast, path: WritePath) -> None:
    path.act(cast)
    followers.catch_up()
    for name, person in cast.readers.items():
        wrong = difference(cast.oracle.fresh_load(person), held_by_store(followers.stores[name]))
        assert not wrong, f"{name}:\n{wrong}"


def test_every_function_that_writes_has_a_path() -> None:
    writes = {
        function
        for module in (
            agent_requests,
            agent_runs,
            event_messages,
            events,
            private_messages,
            rating_campaigns,
            rating_judgments,
            rating_tenants,
            routing_budgets,
            routing_prices,
            rsvps,
            tavern_messages,
            users,
        )
        for _, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not function.__name__.startswith("_")
        and [*inspect.signature(function).parameters][:1] == ["me"]
        # These compute or read something and write nothing.
        and function is not agent_requests.id_for_key
        and function is not rating_campaigns.known_tasks
    }
    assert writes
    assert writes == {function for path in PATHS for function in path.covers}


def test_a_third_person_holds_nothing_of_a_private_message(engine: Engine, cast: Cast) -> None:
    a_private_message_is_sent(cast)
    wait_until_all_hold_a_fresh_load(engine, cast)
    assert "For you alone" in repr(held_by_engine(engine, cast.cy))
    third, admin = held_by_engine(engine, cast.dee), held_by_engine(engine, cast.ada)
    assert third["users"]
    assert third["private_messages"] == {}
    assert third["change_log"] == {}
    assert admin["change_log"]
    assert "For you alone" not in repr((third, admin))


def test_only_their_person_and_admins_hold_runs(engine: Engine, cast: Cast) -> None:
    a_publisher_reports_on_a_run(cast)
    wait_until_all_hold_a_fresh_load(engine, cast)
    for table in ("agent_runs", "agent_run_events"):
        assert held_by_engine(engine, cast.bo)[table]
        assert held_by_engine(engine, cast.ada)[table]
        assert held_by_engine(engine, cast.dee)[table] == {}
        assert held_by_engine(engine, None)[table] == {}
    assert "agent_run" not in repr(held_by_engine(engine, cast.ada)["change_log"])


def test_only_their_person_and_admins_hold_decisions(engine: Engine, cast: Cast) -> None:
    decisions_are_routed_and_old_ones_pruned(cast)
    budgets_are_set_changed_and_removed(cast)
    wait_until_all_hold_a_fresh_load(engine, cast)
    for table in ("routing_metrics", "routing_daily"):
        assert held_by_engine(engine, cast.bo)[table]
        assert held_by_engine(engine, cast.ada)[table]
        assert held_by_engine(engine, cast.dee)[table] == {}
        assert held_by_engine(engine, None)[table] == {}
    assert held_by_engine(engine, cast.bo)["routing_budgets"]
    assert cast.bo.user_id not in repr(held_by_engine(engine, cast.ada)["routing_budgets"])
    assert "routing_" not in repr(held_by_engine(engine, cast.ada)["change_log"])


def test_becoming_an_admin_loads_the_runs_of_others_and_ceasing_drops_them(
    engine: Engine, cast: Cast
) -> None:
    a_publisher_reports_on_a_run(cast)
    for role, held in (("admin", True), ("member", False)):
        cast.by_sql("update public.users set role = %s where id = %s", role, cast.dee.user_id)
        wait_until_all_hold_a_fresh_load(engine, cast)
        assert bool(held_by_engine(engine, cast.dee)["agent_runs"]) is held


def test_only_admins_hold_the_text_of_a_hidden_message(engine: Engine, cast: Cast) -> None:
    a_message_is_hidden(cast)
    wait_until_all_hold_a_fresh_load(engine, cast)
    for name, person in cast.readers.items():
        held = repr(held_by_engine(engine, person))
        assert ("Something rude" in held) is (name == "ada"), name


def test_pruned_entries_leave_the_activity_feed(engine: Engine, cast: Cast) -> None:
    a_message_is_posted(cast)
    wait_until_all_hold_a_fresh_load(engine, cast)
    assert held_by_engine(engine, cast.ada)["change_log"]
    cast.by_sql("select public.prune_change_log('0')")
    wait_until_all_hold_a_fresh_load(engine, cast)
    assert held_by_engine(engine, cast.ada)["change_log"] == {}


def test_only_their_rater_and_managers_hold_judgments_and_nobody_holds_secrets(
    engine: Engine, cast: Cast
) -> None:
    tasks_are_claimed_and_judged(cast)
    wait_until_all_hold_a_fresh_load(engine, cast)
    holds = {
        name: {table for table, rows in held_by_engine(engine, person).items() if rows}
        for name, person in cast.readers.items()
    }
    rating = {"tenants", "campaigns", "rating_tasks", "task_leases", "judgments", "rater_profiles"}
    for name in ("ada", "bo", "cy"):
        assert holds[name] >= rating, name
    for name in ("dee", "a visitor"):
        assert not holds[name] & rating, name
    assert "tenant_invites" in holds["ada"]
    assert "tenant_invites" not in holds["bo"]
    assert {row.user_id for row in held_by_engine(engine, cast.bo)["judgments"].values()} == {  # type: ignore[attr-defined]
        cast.bo.user_id
    }
    for person in (cast.bo, cast.cy, cast.dee, None):
        # Nobody holds the names of the candidates, not even after a judgment.
        assert "adapter" not in repr(held_by_engine(engine, person)["rating_tasks"])
