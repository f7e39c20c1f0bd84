"""Trying the live connection once."""

from datetime import timedelta

import pytest

from live.audiences import EngineConfig
from live.errors import SubscriptionError
from live.probe import try_subscription
from local_supabase.runtime import StackInfo
from tests.live.support import Signed
from tests.support.people import Person


def test_it_tells_how_long_subscribing_took(stack: StackInfo, ada: Person) -> None:
    config = EngineConfig(stack.url, stack.anon_key)
    assert try_subscription(config, ["users", "private_messages"], Signed(ada).access_token()) > timedelta(0)
    assert try_subscription(config, ["users"], None) > timedelta(0)


def test_it_tells_why_there_is_no_subscription(stack: StackInfo) -> None:
    with pytest.raises(SubscriptionError):
        try_subscription(EngineConfig("http://127.0.0.1:9", stack.anon_key), ["users"], None)
