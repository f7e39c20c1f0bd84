"""Listening to Realtime: the connection comes back after an outage, and nothing is missed."""

from __future__ import annotations

from contextlib import ExitStack

from db.ratings.task_models import RatingTask
from local_supabase.stack.runtime import StackInfo
from ratings.bridge import SupabaseBridge, SupabaseSettings
from ratings.database import Database
from ratings.hybrid import HybridRaterApp
from ratings.watching import Watch
from tests.livetables.fault_proxy import fault_proxy
from tests.ratings.supabase_project import NEVER, Tenant, campaign, signed_up
from tests.ratings.workbench import draft
from tests.support.wait import wait_for


def test_changes_during_an_outage_are_found_when_the_connection_is_back(
    stack: StackInfo, file: Database, tenant: Tenant, closing: ExitStack
) -> None:
    proxy = closing.enter_context(fault_proxy(stack.url))
    rater = SupabaseBridge(SupabaseSettings(proxy.url, stack.anon_key))
    closing.callback(rater.close)
    signed_up(rater, tenant, "rater_001")
    app = HybridRaterApp(file, rater)
    made = campaign(app, tenant.id)
    found: list[RatingTask] = []
    states: list[bool] = []
    polls: list[int] = []

    def fetch() -> dict[str, RatingTask]:
        polls.append(1)
        return {task.id: task for task in app.campaigns.tasks(tenant.id)}

    watch = Watch(fetch, lambda before, _: before is None, found.append, polling=NEVER)
    closing.callback(watch.close)

    def live(state: bool) -> None:
        states.append(state)
        watch.set_live(state)

    closing.callback(rater.listen(tenant.id, lambda _: watch.wake(), live).close)
    wait_for(lambda: states == [True] and len(polls) == 2, what="the connection")
    proxy.refuse()
    wait_for(lambda: states[-1] is False and len(polls) >= 3, what="the outage to be noticed")
    (task,) = app.campaigns.add_tasks(made, [draft()])
    proxy.accept()
    wait_for(lambda: found and states[-1], what="the task to be found, and the connection to be back")
    assert [one.id for one in found] == [task.id]
