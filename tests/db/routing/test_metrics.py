"""Reading routing decisions page by page, without gaps and duplicates."""

import uuid

import pytest

from db.auth.accounts import Accounts
from db.clients import Clients
from db.routing import metrics as routing_metrics
from db.settings import Settings
from local_supabase.stack.runtime import StackInfo
from tests.verify.cast import new_account, owner


def test_pages_have_no_gap_and_no_duplicate(stack: StackInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing_metrics, "PAGE", 3)
    clients = Clients(Settings(stack.url, stack.anon_key))
    accounts = Accounts(clients)
    try:
        me = new_account(accounts, "Reader")
        with owner(stack) as cursor:
            cursor.execute(
                "insert into public.routing_metrics (user_id, request_id, provider, model, timestamp, cost)"
                " select %s, n::text, 'acme', 'm', now() - make_interval(secs => n / 4), n"
                " from generate_series(1, 11) as n",
                (me.user_id,),
            )
        found = routing_metrics.newest(me, [], 100)
        assert sorted(int(str(row["request_id"])) for row in found) == list(range(1, 12))
        order = [(str(row["timestamp"]), str(row["id"])) for row in found]
        assert order == sorted(order, reverse=True)
        assert len(routing_metrics.newest(me, [], 5)) == 5
        dear = routing_metrics.newest(me, [("cost", "gt", "8"), ("request_id", "not.in", "(9,x)")], 100)
        assert {row["request_id"] for row in dear} == {"10", "11"}
        assert routing_metrics.newest(me, [("user_id", "eq", str(uuid.uuid4()))], 100) == []
    finally:
        accounts.close()
        clients.close()
