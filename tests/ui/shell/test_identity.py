"""A sign-in that ends in one process ends in all. Here are two, each with an engine and accounts."""

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import pytest

from db.auth.accounts import Accounts, SignedIn
from db.clients import Clients
from db.settings import Settings
from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.feed.status import FeedState
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.support.wait import wait_for
from ui.shell import identity

PASSWORD = "a-long-test-password"
# So rarely that reconciling cannot be what finds out.
TIMING = Timing(reconcile=1000.0)


@dataclass(frozen=True, slots=True)
class Server:
    """The services of one process of the app."""

    accounts: Accounts
    engine: Engine

    def tab(self, me: SignedIn) -> SignedIn:
        """Open a tab of somebody."""
        self.engine.attach(str(uuid.uuid4()), me)
        assert self.engine.wait_loaded(30, user_id=me.user_id)
        wait_for(lambda: self.engine.status(me.user_id).state is FeedState.LIVE, what="their feed")
        return me


@contextlib.contextmanager
def server(stack: StackInfo, url: str) -> Iterator[Server]:
    """Run the services of one process, with its feeds behind `url`."""
    engine = Engine.start(EngineConfig(url, stack.anon_key), ALL_SPECS, TIMING)
    with (
        closing(Clients(Settings(stack.url, stack.anon_key))) as clients,
        closing(Accounts(clients)) as accounts,
    ):
        identity.follow_ended_sessions(engine, accounts)
        try:
            yield Server(accounts, engine)
        finally:
            engine.stop()


@pytest.fixture
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as proxy:
        yield proxy


def test_a_sign_in_ends_in_every_tab_on_every_server(stack: StackInfo, proxy: FaultProxy) -> None:
    with server(stack, stack.url) as here, server(stack, proxy.url) as there:
        email = f"mia-{uuid.uuid4().hex}@tavern.test"
        me = here.accounts.sign_up(email, PASSWORD, "Mia")
        assert isinstance(me, SignedIn)
        here.tab(me)
        same_browser = there.tab(there.accounts.restore(me.refresh_token))
        other_browser = there.tab(there.accounts.sign_in(email, PASSWORD))
        assert same_browser.claims["session_id"] != other_browser.claims["session_id"]

        here.accounts.sign_out(me, everywhere=False)
        wait_for(lambda: same_browser.ended, what="the tab on the other server to know")
        assert not other_browser.ended

        again = here.tab(here.accounts.sign_in(email, PASSWORD))
        proxy.refuse()
        here.accounts.sign_out(again, everywhere=True)
        wait_for(lambda: there.engine.status(me.user_id).state is FeedState.OFFLINE, what="the outage")
        assert not other_browser.ended
        proxy.heal()
        wait_for(lambda: other_browser.ended, what="the sign-in to end after the outage")

        last = [one.tab(one.accounts.sign_in(email, PASSWORD)) for one in (here, there)]
        with closing(psycopg2.connect(stack.database_url)) as database, database:
            database.cursor().execute("delete from auth.users where id = %s", (me.user_id,))
        wait_for(lambda: all(one.ended for one in last), what="the account's end to be known")
