"""A sign-in that ends anywhere ends in every process: of two here, each with an engine and accounts."""

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import pytest

from db.auth import Accounts, SignedIn
from db.clients import Clients
from db.settings import Settings
from live.engine import Engine, EngineConfig
from live.status import FeedState
from live.timing import Timing
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.live.fault_proxy import FaultProxy, fault_proxy
from tests.support.wait import wait_for
from ui import endings

PASSWORD = "a-long-test-password"
# Neither reconciling nor asking now and then is what finds out here.
TELLING = Timing(reconcile=1000.0)


@dataclass(frozen=True, slots=True)
class Server:
    """What one process of the app has."""

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
    """Run a process's worth, its feeds behind `url`."""
    engine = Engine.start(EngineConfig(url, stack.anon_key), ALL_SPECS, TELLING)
    with (
        closing(Clients(Settings(stack.url, stack.anon_key))) as clients,
        closing(Accounts(clients)) as accounts,
    ):
        endings.follow(engine, accounts)
        try:
            yield Server(accounts, engine)
        finally:
            engine.stop()


@pytest.fixture
def proxy(stack: StackInfo) -> Iterator[FaultProxy]:
    with fault_proxy(stack.url) as proxy:
        yield proxy


def test_it_ends_in_every_tab_on_every_server(stack: StackInfo, proxy: FaultProxy) -> None:
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
        wait_for(lambda: other_browser.ended, what="it to be told after the outage")

        last = [one.tab(one.accounts.sign_in(email, PASSWORD)) for one in (here, there)]
        with closing(psycopg2.connect(stack.database_url)) as database, database:
            database.cursor().execute("delete from auth.users where id = %s", (me.user_id,))
        wait_for(lambda: all(one.ended for one in last), what="the account's end to be known")
