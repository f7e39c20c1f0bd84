"""The rating core with Supabase, without it, and with one that is away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import text

from db.rating_drafts import CampaignDraft
from db.rating_models import CampaignStatus, RaterProfile
from db.rating_task_models import RatingTask, Verdict
from db.tokens import claims_of
from local_supabase.runtime import StackInfo
from ratings.bridge import SupabaseBridge, SupabaseSettings, get_supabase, init_supabase, supabase_settings
from ratings.database import Database, get_db, init_db, open_database
from ratings.errors import BadDatabaseUrl, NoSupabase, NotMigrated
from ratings.hybrid import HybridRaterApp
from ratings.watching import Watch
from tests.live.fault_proxy import fault_proxy
from tests.ratings.workbench import draft
from tests.support.people import PASSWORD
from tests.support.wait import wait_for

NEVER = 3600.0
"""Seconds between two looks: what is told is told by Realtime."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant of the Supabase project, and the code that lets people in."""

    id: str
    code: str


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """Close what a test opens."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def tenant(stack: StackInfo) -> Tenant:
    """Make a tenant by SQL."""
    name = f"acme_{uuid.uuid4().hex[:8]}"
    connection = psycopg2.connect(stack.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("insert into public.tenants (id, name) values (%s, 'Acme')", (name,))
        cursor.execute(
            "insert into public.tenant_invites (tenant_id, uses_left) values (%s, 9) returning code", (name,)
        )
        (code,) = cursor.fetchone() or ("",)
    connection.close()
    return Tenant(name, code)


@pytest.fixture
def bridge(stack: StackInfo, closing: ExitStack) -> Callable[[], SupabaseBridge]:
    """Make bridges to the stack, as programs with the service key have them."""

    def make() -> SupabaseBridge:
        made = SupabaseBridge(SupabaseSettings(stack.url, stack.anon_key, stack.service_key))
        closing.callback(made.close)
        return made

    return make


@pytest.fixture
def file(tmp_path: Path, closing: ExitStack) -> Database:
    """Give a database in a file, in which the core is."""
    opened = open_database(f"sqlite:///{tmp_path}/ratings.db")
    closing.callback(opened.close)
    return opened


def signed_up(bridge: SupabaseBridge, tenant: Tenant, rater_id: str) -> SupabaseBridge:
    """Sign a rater up, and in."""
    said = {"rater_id": rater_id, "name": "John Doe", "tenant_id": tenant.id, "invite_code": tenant.code}
    email = f"{uuid.uuid4().hex}@raters.example"
    bridge.sign_up_rater(email, PASSWORD, said)
    answer = bridge.sign_in_rater(email, PASSWORD)
    assert answer.session is not None
    return bridge


def campaign(app: HybridRaterApp, tenant_id: str) -> str:
    """Make an active campaign."""
    campaign_id = str(uuid.uuid4())
    app.campaigns.add_tenant(tenant_id, "Acme")
    app.campaigns.create(campaign_id, tenant_id, CampaignDraft("Tool calls", status=CampaignStatus.ACTIVE))
    return campaign_id


def test_without_supabase_everything_works_and_pages_poll(file: Database, closing: ExitStack) -> None:
    supabase = init_supabase(supabase_settings({}))
    assert get_supabase() is supabase
    assert not supabase.is_available()
    with pytest.raises(NoSupabase, match="SUPABASE_URL"):
        supabase.sign_in_rater("rater@example.com", "secret")
    app = HybridRaterApp(file, supabase, polling=0.02)
    made = campaign(app, "acme")
    app.campaigns.add_tasks(made, [draft()])
    told: list[RatingTask] = []
    stats: list[RaterProfile] = []
    app.campaigns.add_rater("acme", "rater_001", "John")
    closing.callback(app.subscribe_to_tasks("acme", told.append).close)
    closing.callback(app.subscribe_to_rater_stats("acme", "rater_001", stats.append).close)
    (new,) = app.campaigns.add_tasks(made, [draft(priority=5)])
    wait_for(lambda: told, what="the new task to be told of")
    assert [task.id for task in told] == [new.id]
    many = app.campaigns.add_tasks(made, [draft() for _ in range(1_000)])
    wait_for(lambda: len(told) == 1_001, what="all of them to be told of")
    assert {task.id for task in told[1:]} == {task.id for task in many}
    claim = app.assign_task(made, "rater_001")
    assert claim is not None
    app.submit_judgment(claim.task.id, "rater_001", Verdict.A)
    wait_for(lambda: stats, what="the rater's judgment to be told of")
    assert stats[0].total_judgments == 1
    app.undo_judgment(claim.task.id, "rater_001")
    app.skip_task(claim.task.id, "rater_001")


def test_a_file_is_live_through_broadcasts_that_only_the_tenant_hears(
    file: Database, bridge: Callable[[], SupabaseBridge], tenant: Tenant, closing: ExitStack
) -> None:
    manager = HybridRaterApp(file, bridge())
    made = campaign(manager, tenant.id)
    assert not manager.tables_are_live
    # Somebody who is signed in and belongs to no tenant tries to listen too, and first.
    stranger, overheard, strange = bridge(), list[object](), list[bool]()
    email = f"{uuid.uuid4().hex}@raters.example"
    stranger.sign_up_rater(email, PASSWORD, {"tenant_id": tenant.id, "rater_id": "rater_002", "name": "Eve"})
    closing.callback(stranger.listen(tenant.id, overheard.append, strange.append).close)
    rater = signed_up(bridge(), tenant, "rater_001")
    told: list[RatingTask] = []
    live: list[bool] = []
    heard: list[object] = []
    subscribed = HybridRaterApp(file, rater, polling=NEVER).subscribe_to_tasks(tenant.id, told.append)
    closing.callback(subscribed.close)
    closing.callback(rater.listen(tenant.id, heard.append, live.append).close)
    wait_for(lambda: live, what="the rater to listen")
    (task,) = manager.campaigns.add_tasks(made, [draft(name_a="secret name")])
    wait_for(lambda: told and heard, within=20, what="the task to be heard of")
    assert told[0].id == task.id
    assert heard == [{"kind": "task_created", "campaign_id": made, "task_id": task.id}]
    assert True not in strange
    assert overheard == []


def test_what_happens_while_realtime_is_away_is_told_when_it_is_back(
    stack: StackInfo, file: Database, tenant: Tenant, closing: ExitStack
) -> None:
    proxy = closing.enter_context(fault_proxy(stack.url))
    rater = SupabaseBridge(SupabaseSettings(proxy.url, stack.anon_key))
    closing.callback(rater.close)
    signed_up(rater, tenant, "rater_001")
    app = HybridRaterApp(file, rater)
    made = campaign(app, tenant.id)
    told: list[RatingTask] = []
    states: list[bool] = []
    looks: list[int] = []

    def look() -> dict[str, RatingTask]:
        looks.append(1)
        return {task.id: task for task in app.campaigns.tasks(tenant.id)}

    watch = Watch(look, lambda before, _: before is None, told.append, polling=NEVER)
    closing.callback(watch.close)

    def live(state: bool) -> None:
        states.append(state)
        watch.set_live(state)

    closing.callback(rater.listen(tenant.id, lambda _: watch.wake(), live).close)
    wait_for(lambda: states == [True] and len(looks) == 2, what="the connection")
    proxy.refuse()
    wait_for(lambda: states[-1] is False and len(looks) >= 3, what="the outage to be seen")
    (task,) = app.campaigns.add_tasks(made, [draft()])
    proxy.accept()
    wait_for(lambda: told, what="the task to be told of")
    assert [one.id for one in told] == [task.id]
    assert states[-1] is True


def test_in_the_supabase_postgres_the_tables_themselves_are_live(
    stack: StackInfo, bridge: Callable[[], SupabaseBridge], tenant: Tenant, closing: ExitStack
) -> None:
    database = open_database(stack.database_url)
    closing.callback(database.close)
    rater = signed_up(bridge(), tenant, "rater_001")
    app = HybridRaterApp(database, rater, polling=NEVER)
    assert app.tables_are_live
    told: list[RatingTask] = []
    stats: list[RaterProfile] = []
    rows: list[object] = []
    live: list[bool] = []
    made = campaign(app, tenant.id)
    closing.callback(app.subscribe_to_tasks(tenant.id, told.append).close)
    closing.callback(app.subscribe_to_rater_stats(tenant.id, "rater_001", stats.append).close)
    closing.callback(rater.subscribe_to_new_tasks(rows.append, live.append).close)
    wait_for(lambda: True in live, what="the subscription")
    (task,) = app.campaigns.add_tasks(made, [draft()])
    wait_for(lambda: told and rows, within=20, what="the new task to be told of")
    assert told[0].id == task.id
    assert isinstance(rows[0], dict)
    assert rows[0]["task_id"] == task.id
    # An account that ends is told without a row, and ends no subscription.
    leaving = signed_up(bridge(), tenant, "rater_002")
    user = leaving._client.auth.get_user()
    assert user is not None
    gone = {"id": user.user.id}
    database.write(lambda session: session.execute(text("delete from auth.users where id = :id"), gone))
    claim = app.assign_task(made, "rater_001")
    assert claim is not None
    app.submit_judgment(task.id, "rater_001", Verdict.B)
    wait_for(lambda: stats, within=20, what="the rater's judgment to be told of")
    assert stats[-1].total_judgments == 1


def test_sign_up_metadata_reaches_the_token_and_changing_it_later_changes_nothing(
    bridge: Callable[[], SupabaseBridge], tenant: Tenant
) -> None:
    rater = signed_up(bridge(), tenant, "rater_001")
    token = rater.access_token()
    assert token is not None
    expected = {"tenant_id": tenant.id, "rater_id": "rater_001", "rating_role": "rater"}
    metadata = claims_of(token)["app_metadata"]
    assert isinstance(metadata, dict)
    assert expected.items() <= metadata.items()
    client = rater._client
    client.auth.update_user({"data": {"tenant_id": "elsewhere", "rater_id": "boss"}})
    client.auth.refresh_session()
    again = claims_of(rater.access_token() or "")
    assert isinstance(again["app_metadata"], dict)
    assert isinstance(again["user_metadata"], dict)
    assert expected.items() <= again["app_metadata"].items()
    assert again["user_metadata"]["tenant_id"] == "elsewhere"
    seen = client.table("tenants").select("id").execute().data
    assert seen == [{"id": tenant.id}]


def test_files_of_the_tenant_go_up_and_come_down(
    bridge: Callable[[], SupabaseBridge], tenant: Tenant
) -> None:
    rater = signed_up(bridge(), tenant, "rater_001")
    path = f"{tenant.id}/adapters/v1.safetensors"
    assert rater.upload_model_artifact("model-artifacts", path, b"weights") == path
    assert rater.download_model_artifact("model-artifacts", path) == b"weights"
    assert path in rater.get_signed_url("model-artifacts", path, 60)
    assert rater.get_public_url("exports", f"{tenant.id}/a.csv").endswith(
        f"/public/exports/{tenant.id}/a.csv"
    )


def test_a_supabase_that_is_away_holds_up_nothing(file: Database, closing: ExitStack) -> None:
    away = SupabaseBridge(SupabaseSettings("http://127.0.0.1:9", "key", "service"))
    closing.callback(away.close)
    app = HybridRaterApp(file, away)
    made = campaign(app, "acme")
    app.campaigns.add_rater("acme", "rater_001", "John")
    app.campaigns.add_tasks(made, [draft()])
    claim = app.assign_task(made, "rater_001")
    assert claim is not None
    assert app.submit_judgment(claim.task.id, "rater_001", Verdict.TIE).verdict is Verdict.TIE


def test_who_subscribes_while_supabase_is_away_is_told_by_looking(
    stack: StackInfo, file: Database, tenant: Tenant, closing: ExitStack
) -> None:
    proxy = closing.enter_context(fault_proxy(stack.url))
    rater = SupabaseBridge(SupabaseSettings(proxy.url, stack.anon_key))
    closing.callback(rater.close)
    signed_up(rater, tenant, "rater_001")
    session = rater._client.auth.get_session()
    assert session is not None
    session.expires_at = 1  # and has to be renewed
    proxy.refuse()
    app = HybridRaterApp(file, rater, polling=0.02)
    made = campaign(app, tenant.id)
    told: list[RatingTask] = []
    closing.callback(app.subscribe_to_tasks(tenant.id, told.append).close)
    app.campaigns.add_tasks(made, [draft()])
    wait_for(lambda: told, what="the new task to be told of")


@pytest.mark.parametrize(
    "url", ["", "nonsense", "oracle://x", "sqlite://", "sqlite:///:memory:", "https://x.supabase.co"]
)
def test_a_database_url_that_cannot_be_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadDatabaseUrl):
        open_database(url)


def test_settings_come_in_pairs() -> None:
    assert supabase_settings({"SUPABASE_URL": "https://x.supabase.co/", "SUPABASE_KEY": "k"}) == (
        SupabaseSettings("https://x.supabase.co", "k")
    )
    with pytest.raises(BadDatabaseUrl, match="both"):
        supabase_settings({"SUPABASE_KEY": "k"})


def test_there_is_one_database_a_process(tmp_path: Path) -> None:
    opened = init_db(f"sqlite:///{tmp_path}/one.db")
    assert get_db() is opened
    opened.close()


def test_open_tables_are_never_made_in_a_supabase_project(plain_postgres_url: str) -> None:
    connection = psycopg2.connect(plain_postgres_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("drop database if exists unmigrated")
        cursor.execute("create database unmigrated")
    connection.close()
    url = plain_postgres_url.replace("plain_ratings", "unmigrated")
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("create schema auth")
    connection.close()
    with pytest.raises(NotMigrated, match="supabase/migrations"):
        open_database(url)
