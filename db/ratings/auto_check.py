"""Calling the edge function `auto-check`."""

from __future__ import annotations

import logging
from typing import Final

import httpx
from supabase_functions.errors import FunctionsError

from db.caller import Caller
from db.errors import DatabaseError

_log = logging.getLogger(__name__)

AUTO_CHECK: Final = "auto-check"


class FunctionFailedError(DatabaseError):
    """The function does not exist, failed, or did not answer in time."""

    message = "The check could not be made. Rating goes on without it."


class NotCheckableError(DatabaseError):
    """The function refuses the task because it is too large."""

    message = "This task is too long to be checked. Rating goes on without it."


def auto_check(me: Caller, task_id: str) -> None:
    """Have the candidates of a task checked, which takes seconds. The result is stored with the task.

    Raises `FunctionFailedError`, `NotCheckableError`, or `SignedOutError`.
    """
    functions = me.clients.functions(me.access_token())
    try:
        functions.invoke(AUTO_CHECK, {"body": {"task_id": task_id}})
    except (FunctionsError, httpx.HTTPError) as error:
        # The function is optional, so a project without it is no reason for a warning.
        _log.info("auto-check of task %s: %s", task_id, error)
        too_large = isinstance(error, FunctionsError) and error.status in (413, 422)
        raise (NotCheckableError if too_large else FunctionFailedError) from error
