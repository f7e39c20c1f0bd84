"""Calling the project's edge functions."""

from __future__ import annotations

import logging
from typing import Final

import httpx
from supabase_functions.errors import FunctionsError

from db.errors import DatabaseError
from db.rows import Caller

log = logging.getLogger(__name__)

AUTO_CHECK: Final = "auto-check"


class FunctionFailed(DatabaseError):
    """There is no such function, or it broke, or it did not answer in time."""

    message = "The check could not be made. Rating goes on without it."


class NotCheckable(DatabaseError):
    """The function works, but this task is more than it takes."""

    message = "This task is too long to be checked. Rating goes on without it."


def auto_check(me: Caller, task_id: str) -> None:
    """Have a task's candidates checked; the function keeps what it finds with the task. Takes seconds.

    Raises `FunctionFailed`, `NotCheckable`, or `SignedOut`.
    """
    functions = me.clients.functions(me.access_token())
    try:
        functions.invoke(AUTO_CHECK, {"body": {"task_id": task_id}})
    except (FunctionsError, httpx.HTTPError) as error:
        # A project without the function is a project as any other.
        log.info("auto-check of task %s: %s", task_id, error)
        too_much = isinstance(error, FunctionsError) and error.status in (413, 422)
        raise (NotCheckable if too_much else FunctionFailed) from error
