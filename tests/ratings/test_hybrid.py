"""The rating core with Supabase, without it, and with an unreachable one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack

from sqlalchemy import text

from db.ratings.models import RaterProfile
from db.ratings.task_models import RatingTask, Verdict
from local_supabase.stack.runtime import StackInfo
from ratings.bridge import SupabaseBridge, SupabaseSettings
from ratings.database import Database, open_database
from ratings.hybrid import HybridRaterApp
from tests.livetables.fault_proxy import fault_proxy
from tests.ratings.supabase_project import NEVER, Tenant, campaign, signed_up
from tests.ratings.workbench import draft
from tests.support.people import PASSWORD
from tests.support.wait import wait_for


def test_without_supabase_everything_works_by_polling(file: Database, closing: ExitStack) -> None:
    app = HybridRaterApp(file, SupabaseBridge(None), polling=0.02)
    made = campaign(app, "acme")
    app.campaigns.add_tasks(made, [draft()])
    tasks: list[RatingTask] = []
    stats: list[RaterProfile] = []
    app.campaigns.add_rater("acme", "rater_001", "John")
    closing.callback(app.subscribe_to_tasks("acme", tasks.append).close)
    closing.callback(app.subscribe_to_rater_stats("acme", "rater_001", stats.append).close)
    (new,) = app.campaigns.add_tasks(made, [draft(priority=5)])
    wait_for(lambda: tasks, what="the new task")
    assert [task.id for task in tasks] == [new.id]
    many = app.campaigns.add_tasks(made, [draft() for _ in range(1_000)])
    wait_for(lambda: len(tasks) == 1_001, what="all of them")
    assert {task.id for task in tasks[1:]} == {task.id for task in many}
    claim = app.assign_task(made, "rater_001")
    assert claim is not None
    app.submit_judgment(claim.task.id, "rater_001", Verdict.A)
    wait_for(lambda: stats, what="the rater's judgment")
    assert stats[0].total_judgments == 1
    app.undo_judgment(claim.task.id, "rater_001")
    app.skip_task(claim.task.id, "rater_001")


def test_with_a_file_broadcasts_make_it_live_for_members_of_the_tenant_only(
    file: Database, bridge: Callable[[], SupabaseBridge], tenant: Tenant, closing: ExitStack
) -> None:
    manager = HybridRaterApp(file, bridge())
    made = campaign(manager, tenant.id)
    assert not manager.tables_are_live
    # A signed-in person without a tenant tries to listen too, and does so first.
    stranger, received_by_stranger, strange = bridge(), list[object](), list[bool]()
    email = f"{uuid.uuid4().hex}@raters.example"
    stranger.sign_up_rater(email, PASSWORD, {"tenant_id": tenant.id, "rater_id": "rater_002", "name": "Eve"})
    closing.callback(stranger.listen(tenant.id, received_by_stranger.append, strange.append).close)
    rater = signed_up(bridge(), tenant, "rater_001")
    tasks: list[RatingTask] = []
    live: list[bool] = []
    broadcasts: list[object] = []
    subscribed = HybridRaterApp(file, rater, polling=NEVER).subscribe_to_tasks(tenant.id, tasks.append)
    closing.callback(subscribed.close)
    closing.callback(rater.listen(tenant.id, broadcasts.append, live.append).close)
    wait_for(lambda: live, what="the rater to listen")
    (task,) = manager.campaigns.add_tasks(made, [draft(name_a="secret name")])
    wait_for(lambda: tasks and broadcasts, within=20, what="the new task")
    assert tasks[0].id == task.id
    assert broadcasts == [{"kind": "task_created", "campaign_id": made, "task_id": task.id}]
    assert True not in strange
    assert received_by_stranger == []


def test_in_the_supabase_postgres_the_tables_themselves_are_live(
    stack: StackInfo, bridge: Callable[[], SupabaseBridge], tenant: Tenant, closing: ExitStack
) -> None:
    database = open_database(stack.database_url)
    closing.callback(database.close)
    rater = signed_up(bridge(), tenant, "rater_001")
    app = HybridRaterApp(database, rater, polling=NEVER)
    assert app.tables_are_live
    tasks: list[RatingTask] = []
    stats: list[RaterProfile] = []
    rows: list[object] = []
    live: list[bool] = []
    made = campaign(app, tenant.id)
    closing.callback(app.subscribe_to_tasks(tenant.id, tasks.append).close)
    closing.callback(app.subscribe_to_rater_stats(tenant.id, "rater_001", stats.append).close)
    closing.callback(rater.subscribe_to_new_tasks(rows.append, live.append).close)
    wait_for(lambda: True in live, what="the subscription")
    (task,) = app.campaigns.add_tasks(made, [draft()])
    wait_for(lambda: tasks and rows, within=20, what="the new task")
    assert tasks[0].id == task.id
    assert isinstance(rows[0], dict)
    assert rows[0]["task_id"] == task.id
    # A deleted account comes as a change without a row, and must not end the subscription.
    leaving = signed_up(bridge(), tenant, "rater_002")
    user = leaving.client.auth.get_user()
    assert user is not None
    gone = {"id": user.user.id}
    database.write(lambda session: session.execute(text("delete from auth.users where id = :id"), gone))
    claim = app.assign_task(made, "rater_001")
    assert claim is not None
    app.submit_judgment(task.id, "rater_001", Verdict.B)
    wait_for(lambda: stats, within=20, what="the rater's judgment")
    assert stats[-1].total_judgments == 1


def test_an_unreachable_supabase_delays_nothing(file: Database, closing: ExitStack) -> None:
    unreachable = SupabaseBridge(SupabaseSettings("http://127.0.0.1:9", "key", "service"))
    closing.callback(unreachable.close)
    app = HybridRaterApp(file, unreachable)
    made = campaign(app, "acme")
    app.campaigns.add_rater("acme", "rater_001", "John")
    app.campaigns.add_tasks(made, [draft()])
    claim = app.assign_task(made, "rater_001")
    assert claim is not None
    assert app.submit_judgment(claim.task.id, "rater_001", Verdict.TIE).verdict is Verdict.TIE


def test_a_subscription_during_an_outage_works_by_polling(
    stack: StackInfo, file: Database, tenant: Tenant, closing: ExitStack
) -> None:
    proxy = closing.enter_context(fault_proxy(stack.url))
    rater = SupabaseBridge(SupabaseSettings(proxy.url, stack.anon_key))
    closing.callback(rater.close)
    signed_up(rater, tenant, "rater_001")
    session = rater.client.auth.get_session()
    assert session is not None
    session.expires_at = 1  # so it has to be refreshed
    proxy.refuse()
    app = HybridRaterApp(file, rater, polling=0.02)
    made = campaign(app, tenant.id)
    tasks: list[RatingTask] = []
    closing.callback(app.subscribe_to_tasks(tenant.id, tasks.append).close)
    app.campaigns.add_tasks(made, [draft()])
    wait_for(lambda: tasks, what="the new task")
