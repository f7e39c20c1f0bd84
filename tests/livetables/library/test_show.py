"""An app on a real Streamlit runtime and a real stack: what its tabs show of their own and others' writes."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from livetables.library.connect import connect
from livetables.library.database import Database
from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.library import stage
from tests.livetables.streamlit_server import Server, Tab, running_server
from tests.livetables.support import Signed
from tests.support.people import anonymous_client, sign_up
from tests.support.wait import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a real Streamlit runtime that serves `tab_script.py`."""
    with running_server(Path(__file__).with_name("tab_script.py")) as running:
        yield running


@pytest.fixture
def database(proxy: FaultProxy, shop: StackInfo) -> Iterator[Database]:
    """Return the database of the tabs."""
    stage.url, stage.key, stage.user, stage.filters = proxy.url, shop.anon_key, None, ""
    database = connect(url=proxy.url, key=shop.anon_key)
    yield database
    database.engine.stop()


def newest(tab: Tab, beginning: str) -> str:
    """Return the last text with this beginning that the tab was sent."""
    return next((text for text in reversed(tab.texts) if text.startswith(beginning)), "")


def press(tab: Tab) -> None:
    """Use the widget of the items' fragment, whose callback writes."""
    state = ClientState(fragment_id=tab.fragment_of("items:"))
    widget = state.widget_states.widgets.add()
    widget.id, widget.string_value = tab.widgets["Trigger"], str(uuid4())
    tab.run(fragment_id=state.fragment_id, widget_states=state.widget_states)


def named() -> str:
    """Return a title that no other test uses."""
    return f"t{uuid4().hex[:8]}"


def test_what_others_write_reruns_the_fragment_and_not_the_script(
    server: Server, database: Database, shop: StackInfo
) -> None:
    tab, title = server.tab(), named()
    anonymous_client(shop).table("items").insert({"title": title}).execute()
    wait_for(lambda: title in newest(tab, "items:"), what="the item")
    assert tab.full_runs == 1


def test_a_write_shows_at_once_in_the_writers_tab_only_and_then_to_everybody(
    server: Server, database: Database, proxy: FaultProxy
) -> None:
    writer, other, title = server.tab(), server.tab(), named()
    proxy.writes_stalled = True
    stage.act = lambda db: db.insert("items", title=title)
    press(writer)
    assert f"({title})" in newest(writer, "items:")
    assert title not in newest(other, "items:")
    proxy.writes_stalled = False
    wait_for(lambda: title in newest(other, "items:"), what="the item")
    wait_for(lambda: f"({title})" not in newest(writer, "items:"), what="its confirmation")
    assert title in newest(writer, "items:")
    assert (writer.full_runs, other.full_runs) == (1, 1)


def test_a_refused_write_disappears_and_says_why(
    server: Server, database: Database, proxy: FaultProxy
) -> None:
    tab = server.tab()
    proxy.writes_stalled = True
    stage.act = lambda db: db.insert("items", title="forbidden")
    press(tab)
    assert "(forbidden)" in newest(tab, "items:")
    proxy.writes_stalled = False
    wait_for(lambda: "You are not allowed to do that." in toasts(tab), what="the reason")
    wait_for(lambda: "forbidden" not in newest(tab, "items:"), what="the row to disappear")
    assert toasts(tab) == ["You are not allowed to do that."]


def test_a_clash_is_shown_until_it_is_decided(
    server: Server, database: Database, proxy: FaultProxy, shop: StackInfo
) -> None:
    tab, title = server.tab(), named()
    others = anonymous_client(shop).table("items")
    item = str(others.insert({"title": title}).execute().data[0]["id"])  # type: ignore[index,call-overload]
    wait_for(lambda: title in newest(tab, "items:"), what="the item")
    proxy.writes_stalled = True
    stage.act = lambda db: db.update("items", item, title=f"{title} mine")
    press(tab)
    others.update({"title": f"{title} theirs"}).eq("id", item).execute()
    proxy.writes_stalled = False
    wait_for(lambda: newest(tab, "title\n") != "", what="the question")
    assert newest(tab, "title\n") == f"title\nyours: {title} mine\ntheirs: {title} theirs"
    assert f"{title} theirs" in newest(tab, "items:")
    click(tab, "Keep mine")
    wait_for(lambda: f"{title} mine" in newest(tab, "items:"), what="my version")


def test_a_view_shows_only_what_was_chosen(server: Server, database: Database, shop: StackInfo) -> None:
    title = named()
    stage.filters = f"title=eq.{title}"
    tab = server.tab()
    anonymous_client(shop).table("items").insert([{"title": title}, {"title": named()}]).execute()
    wait_for(lambda: newest(tab, "items:") == f"items: {title}", what="only the chosen item")


def test_private_rows_are_shown_to_their_person_only(
    server: Server, database: Database, shop: StackInfo
) -> None:
    ada, visitor = sign_up(shop, "Ada"), server.tab()
    stage.user = Signed(ada)
    tab = server.tab()
    ada.client.table("notes").insert({"user_id": ada.user_id, "body": "psst"}).execute()
    wait_for(lambda: newest(tab, "notes") == f"notes of {ada.user_id}: psst", what="the note")
    assert newest(visitor, "notes") == "notes of nobody:"


def test_the_badge_says_how_the_tab_is_connected(server: Server, database: Database) -> None:
    tab = server.tab()
    wait_for(lambda: "Live" in badge(tab), what="the badge to say Live")
    assert "green" in badge(tab)


@pytest.fixture
def unpublished(shop: StackInfo) -> Iterator[None]:
    """Take the items out of the publication, for as long as the test runs."""
    run_sql(shop, "alter publication supabase_realtime drop table items")
    yield
    run_sql(shop, "alter publication supabase_realtime add table items")


def test_what_the_database_has_lost_is_shown_with_the_mend(
    server: Server, database: Database, shop: StackInfo, request: pytest.FixtureRequest
) -> None:
    tab = server.tab()
    wait_for(lambda: "Live" in badge(tab), what="the badge to say Live")
    request.getfixturevalue("unpublished")
    database.engine.report_setup(database.missing())
    wait_for(lambda: "Set-up incomplete" in badge(tab), what="the badge to say so")
    mend = "alter publication supabase_realtime add table public.items;"
    wait_for(lambda: any(mend in text for text in codes(tab)), what="the SQL that mends it")
    database.engine.report_setup([])
    wait_for(lambda: "Set-up incomplete" not in badge(tab), what="the badge to say that it is whole")


def run_sql(shop: StackInfo, statement: str) -> None:
    """Run a statement as the owner of the database."""
    with psycopg2.connect(shop.database_url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def codes(tab: Tab) -> list[str]:
    """Return the texts of all blocks of code."""
    return [message.delta.new_element.code.code_text for message in elements(tab, "code")]


def toasts(tab: Tab) -> list[str]:
    """Return the texts of all toasts."""
    return [message.delta.new_element.toast.body for message in elements(tab, "toast")]


def badge(tab: Tab) -> str:
    """Return the badge that the tab was sent last, empty if it was sent none yet."""
    texts = [message.delta.new_element.markdown.body for message in elements(tab, "markdown")]
    return texts[-1] if texts else ""


def elements(tab: Tab, kind: str) -> list[ForwardMsg]:
    """Return the messages with an element of this kind."""
    return [message for message in tab.messages if message.delta.new_element.HasField(kind)]  # type: ignore[arg-type]


def click(tab: Tab, label: str) -> None:
    """Press the last button with this label."""
    found = [
        message for message in elements(tab, "button") if message.delta.new_element.button.label == label
    ][-1]
    state = ClientState(fragment_id=found.delta.fragment_id)
    widget = state.widget_states.widgets.add()
    widget.id, widget.trigger_value = found.delta.new_element.button.id, True
    tab.run(fragment_id=state.fragment_id, widget_states=state.widget_states)
