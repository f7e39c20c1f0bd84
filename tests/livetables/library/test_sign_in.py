"""Signing in on a real Streamlit runtime and a real Auth: the form, and what its tab shows then."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from streamlit.proto.ClientState_pb2 import ClientState

from livetables.config import EngineConfig
from livetables.library.connect import connect
from livetables.library.sign_in import Person, accounts, cookie_name, problems_of
from local_supabase.stack.runtime import StackInfo
from tests.livetables.library import stage
from tests.livetables.library.test_show import elements, newest
from tests.livetables.streamlit_server import Server, Tab, running_server
from tests.support.people import PASSWORD, sign_up
from tests.support.wait import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a real Streamlit runtime that serves `sign_in_script.py`."""
    with running_server(Path(__file__).with_name("sign_in_script.py")) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _project(shop: StackInfo) -> Iterator[None]:
    stage.url, stage.key = shop.url, shop.anon_key
    yield
    connect(url=shop.url, key=shop.anon_key).engine.stop()


def fill(tab: Tab, button: str, **fields: str) -> None:
    """Fill in the form as a browser sends it, and press a button."""
    state = ClientState()
    for label, text in fields.items():
        widget = state.widget_states.widgets.add()
        widget.id, widget.string_value = tab.widgets[label], text
    pressed = [each.delta.new_element.button for each in elements(tab, "button")]
    widget = state.widget_states.widgets.add()
    widget.id = next(each.id for each in reversed(pressed) if each.label == button)
    widget.trigger_value = True
    tab.run(widget_states=state.widget_states)


def signed_in_as(email: str, shop: StackInfo) -> list[Person]:
    """Return the sign-ins of this address in this process."""
    here = accounts(EngineConfig(shop.url, shop.anon_key))
    return [one for one in here._active() if one.email == email]


def alerts(tab: Tab) -> list[str]:
    """Return the texts of all boxes with messages."""
    return [message.delta.new_element.alert.body for message in elements(tab, "alert")]


def test_whoever_signs_in_sees_their_rows_and_signs_out_again(server: Server, shop: StackInfo) -> None:
    ada = sign_up(shop, "Ada")
    ada.client.table("notes").insert({"user_id": ada.user_id, "body": "psst"}).execute()
    tab = server.tab()
    assert newest(tab, "notes") == ""
    fill(tab, "Sign in", Email=ada.email, Password=PASSWORD)
    wait_for(lambda: newest(tab, "notes") == f"notes of {ada.user_id}: psst", what="the note")
    fill(tab, "Sign out")
    shown = tab.fragment_runs_finished
    ada.client.table("notes").insert({"user_id": ada.user_id, "body": "late"}).execute()
    assert tab.widgets["Email"]
    assert signed_in_as(ada.email, shop) == []
    # The fragments of the page before have no place on the page with the form.
    assert tab.fragment_runs_finished == shown
    session_id = tab.session_id
    assert connect(url=shop.url, key=shop.anon_key).engine.sessions[session_id] is None


def test_a_wrong_password_is_told_and_nothing_is_shown(server: Server, shop: StackInfo) -> None:
    ada, tab = sign_up(shop, "Ada"), server.tab()
    fill(tab, "Sign in", Email=ada.email, Password="wrong")
    assert alerts(tab)[-1] == "That email and password do not match an account."
    assert newest(tab, "notes") == ""


def test_an_account_can_be_created(server: Server) -> None:
    tab = server.tab()
    fill(tab, "Create account", Email=f"{uuid4().hex}@example.com", Password=PASSWORD)
    wait_for(lambda: newest(tab, "notes").endswith(":"), what="the page behind the form")
    assert alerts(tab) == []


def test_a_sign_in_that_ends_elsewhere_leads_back_to_the_form(server: Server, shop: StackInfo) -> None:
    ada, tab = sign_up(shop, "Ada"), server.tab()
    fill(tab, "Sign in", Email=ada.email, Password=PASSWORD)
    wait_for(lambda: newest(tab, "notes").startswith("notes of"), what="the page behind the form")
    mine = [
        one for one in accounts(EngineConfig(shop.url, shop.anon_key))._active() if one.email == ada.email
    ]
    mine[0].end()
    wait_for(lambda: "You have been signed out. Please sign in again." in alerts(tab), what="the form")
    assert len(mine) == 1


def test_projects_on_one_host_have_cookies_of_their_own() -> None:
    one, other = (cookie_name(EngineConfig(f"http://127.0.0.1:{port}", "key")) for port in (1, 2))
    assert one != other
    assert re.fullmatch(r"livetables_[0-9a-f]{12}", one)


@pytest.mark.parametrize(
    ("email", "password", "new", "told"),
    [
        ("", "", False, {"email", "password"}),
        ("ada", "secret", False, {"email"}),
        ("ada@example.com", "short", True, {"password"}),
        ("ada@example.com", "short", False, set()),
    ],
)
def test_each_field_has_its_own_message(email: str, password: str, new: bool, told: set[str]) -> None:
    assert problems_of(email, password, new=new).keys() == told
