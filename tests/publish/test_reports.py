"""What agents report is brought within the limits of the schema before it waits in the outbox."""

from collections.abc import Iterator

import pytest

from publish import Level, RunStatus
from publish.reports import Reports
from publish.run_options import NewRun
from publish.unsent import EventsInsert, RunInsert, RunPatch, Write


def writes(reports: Reports, run: str) -> Iterator[Write]:
    while (write := reports.outbox.take(run)) is not None:
        reports.outbox.mark_sent(write)
        yield write


def test_a_new_run_fits_its_columns() -> None:
    reports = Reports(lambda: None)
    run = reports.start(NewRun(agent_name="a" * 100, task_id="t" * 300, user_id="ann"))
    (insert,) = writes(reports, run)
    assert isinstance(insert, RunInsert)
    assert (insert.values["agent_name"], insert.values["agent_id"]) == ("a" * 80, "a" * 100)
    assert (insert.values["task_id"], insert.values["user_id"]) == ("t" * 200, "ann")
    assert (insert.values["metadata"], insert.values["status"]) == ({}, "in_progress")


def test_progress_log_and_error_fit_their_columns() -> None:
    reports = Reports(lambda: None)
    reports.outbox.join("run", RunStatus.IN_PROGRESS)
    reports.progress("run", " Reading\n a  file ", 250, -3, float("nan"))
    reports.log("run", "x" * 30_000, "warning")
    reports.fail("run", "e" * 6_000)
    events, patch = writes(reports, "run")
    assert isinstance(events, EventsInsert)
    assert isinstance(patch, RunPatch)
    step, line = events.rows
    assert step["message"] == patch.values["current_step"] == "Reading a file"
    assert (line["level"], line["message"]) == (Level.WARNING.value, "x" * 20_000)
    assert patch.values["progress_percent"] == 100
    assert "tokens" not in patch.values  # it cannot be negative, so the last one stays
    assert "cost_usd" not in patch.values
    assert patch.values["error"] == "e" * 5_000


def test_unknown_levels_and_statuses_are_errors_in_the_program() -> None:
    reports = Reports(lambda: None)
    reports.outbox.join("run", RunStatus.IN_PROGRESS)
    with pytest.raises(ValueError, match="loud"):
        reports.log("run", "Hello", "loud")
    with pytest.raises(ValueError, match="asleep"):
        reports.move("run", "asleep", None, None)
