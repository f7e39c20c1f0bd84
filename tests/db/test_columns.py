"""Models read rows exactly: a column that is missing or has another shape than the schema's is refused."""

import inspect
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from types import ModuleType, UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from db.agents import models as agents
from db.columns import AwareDatetime, Model, read
from db.hub import models as hub
from db.ratings import models as ratings
from db.ratings import task_models as tasks
from db.routing import models as routing
from tests.support.records import NAMES, record_of

_CONTENT = {"task_id": NAMES[0], "prompt": "Which?", "candidate_a": {"text": "a"}, "candidate_b": None}
_NAMES = {"name_a": "one", "name_b": "two", "model_a": "m-1", "model_b": None}
_GOLD = {"gold_verdict": "A", "gold_reason": None}
_OTHER = {"rater_id": "r-1", "verdict": "tie", "comment": ""}

RECORDS: dict[type[Model], Mapping[str, object]] = {
    hub.User: record_of("users"),
    hub.Event: record_of("events"),
    hub.EventCohost: record_of("event_cohosts"),
    hub.Rsvp: record_of("rsvps"),
    hub.TavernMessage: record_of("tavern_messages"),
    hub.EventMessage: record_of("event_messages"),
    hub.PrivateMessage: record_of("private_messages"),
    hub.ChangeLogEntry: record_of("change_log"),
    hub.EndedSession: record_of("ended_sessions"),
    agents.AgentRun: record_of("agent_runs"),
    agents.AgentRunEvent: record_of("agent_run_events"),
    routing.RoutingMetric: record_of("routing_metrics"),
    routing.RoutingDay: record_of("routing_daily"),
    routing.RoutingBudget: record_of("routing_budgets"),
    routing.ModelPrice: record_of("model_prices"),
    ratings.Tenant: record_of("tenants"),
    ratings.TenantInvite: record_of("tenant_invites"),
    ratings.PublicRatingRole: record_of("rating_roles"),
    ratings.RaterProfile: record_of("rater_profiles"),
    ratings.Campaign: record_of("campaigns"),
    tasks.RatingTask: record_of("rating_tasks"),
    tasks.TaskLease: record_of("task_leases"),
    tasks.Judgment: record_of("judgments"),
    tasks.CandidateTally: record_of("candidate_tallies"),
    tasks.TaskContent: _CONTENT,
    tasks.TaskSecret: {"task_id": NAMES[0], "external_id": None, **_NAMES, **_GOLD},
    tasks.OtherVerdict: _OTHER,
    tasks.Reveal: {**_NAMES, **_GOLD, "judgments": [_OTHER]},
    tasks.Claim: {
        "lease": record_of("task_leases"),
        "task": record_of("rating_tasks"),
        "content": _CONTENT,
        "now": "2026-03-01T12:00:00.123456+00:00",
    },
}

WRONG: dict[Any, tuple[object, ...]] = {
    str: (7, True, ["a"], {"a": 1}),
    int: ("7", 1.0, 1.5, True, [1]),
    float: ("1.5", True, [1.5]),
    bool: (1, 0, "true"),
    datetime: ("2026-03-01T12:00:00", "2026-03-01", "yesterday", "", 1772366400, True),
    date: ("2026-13-01", "2026-03-01T12:00:00+00:00", "", 20260301),
    Decimal: ("ten", "", True, [1]),
    dict: ([1], "{}", 1),
    tuple: ({"a": 1}, "ab", 1),
    StrEnum: ("no such", "", 3, True),
    Model: ([1], "{}", 1, {}),
}
"""What a column of each type must not hold."""


def models_in(module: ModuleType) -> Iterator[type[Model]]:
    for _, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, Model) and found.__module__ == module.__name__:
            yield found


def annotations(model: type[Model]) -> dict[str, Any]:
    """Return the type of each column, with `AwareDatetime` as it is annotated."""
    return get_type_hints(model, include_extras=True)


def nullable(annotation: Any) -> bool:
    return annotation is object or type(None) in get_args(annotation)


def kind_of(annotation: Any) -> Any:
    """Return the key of `WRONG`; None where a column may hold any JSON value."""
    if isinstance(annotation, UnionType) or type(None) in get_args(annotation):
        (annotation,) = (each for each in get_args(annotation) if each is not type(None))
    if annotation is object:
        return None
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is not None:
        return dict if get_origin(annotation) is Mapping else get_origin(annotation)
    kinds = (kind for kind in (StrEnum, Model) if issubclass(annotation, kind))
    return next(kinds, annotation)


def test_every_model_is_tested_here() -> None:
    modules = (hub, agents, routing, ratings, tasks)
    assert {model for module in modules for model in models_in(module)} == RECORDS.keys()


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_a_row_is_read_and_columns_of_others_are_ignored(model: type[Model]) -> None:
    row = model.from_record({**RECORDS[model], "column_of_a_later_version": 1})
    assert row == model.from_record(RECORDS[model])
    assert annotations(model).keys() == RECORDS[model].keys()


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_a_missing_column_is_refused(model: type[Model]) -> None:
    for column in annotations(model):
        record = {name: value for name, value in RECORDS[model].items() if name != column}
        with pytest.raises(ValueError, match=f"{model.__name__}.*{column}"):
            model.from_record(record)


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_null_is_read_only_where_a_column_is_nullable(model: type[Model]) -> None:
    for column, annotation in annotations(model).items():
        record = {**RECORDS[model], column: None}
        if nullable(annotation):
            assert getattr(model.from_record(record), column) is None
        else:
            with pytest.raises(ValueError, match=column):
                model.from_record(record)


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_a_value_of_another_type_is_refused(model: type[Model]) -> None:
    for column, annotation in annotations(model).items():
        kind = kind_of(annotation)
        assert (kind is None) is (annotation is object)
        for wrong in () if kind is None else WRONG[kind]:
            with pytest.raises(ValueError, match=column):
                model.from_record({**RECORDS[model], column: wrong})


def test_values_are_read_as_the_types_of_the_annotations() -> None:
    metric = routing.RoutingMetric.from_record({**RECORDS[routing.RoutingMetric], "cost": "0.10"})
    assert str(metric.cost) == "0.10"
    assert routing.RoutingMetric.from_record({**RECORDS[routing.RoutingMetric], "cost": 0.1}).cost == Decimal(
        "0.1"
    )
    sums = routing.RoutingDay.from_record(RECORDS[routing.RoutingDay])
    assert (sums.day, sums.latencies) == (date(2026, 3, 1), {48: 2})
    task = tasks.RatingTask.from_record(RECORDS[tasks.RatingTask])
    assert (task.status, task.leased_until) == (
        tasks.TaskStatus.IN_PROGRESS,
        (datetime(2026, 3, 1, 12, tzinfo=UTC),),
    )
    campaign = ratings.Campaign.from_record({**RECORDS[ratings.Campaign], "gold_share": 0})
    assert isinstance(campaign.gold_share, float)
    reveal = tasks.Reveal.from_record(RECORDS[tasks.Reveal])
    assert reveal.judgments == (tasks.OtherVerdict("r-1", tasks.Verdict.TIE, ""),)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T09:30:00+00:00",
        "2026-11-21T09:30:00Z",
        "2026-11-21T10:30:00+01:00",
        "2026-11-21T09:30:00.0+00:00",
    ],
)
def test_a_time_is_the_same_moment_in_every_zone(text: str) -> None:
    assert read(tuple[AwareDatetime, ...], [text]) == (datetime(2026, 11, 21, 9, 30, tzinfo=UTC),)


@pytest.mark.parametrize("ends", [["2026-11-21T09:30:00"], [None], "2026-11-21T09:30:00+00:00"])
def test_a_list_of_times_holds_times_with_a_zone(ends: object) -> None:
    with pytest.raises(ValueError, match=r"timezone|Expected"):
        read(tuple[AwareDatetime, ...], ends)
