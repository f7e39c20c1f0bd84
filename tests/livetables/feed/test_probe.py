"""Opening a subscription once, as the diagnostics do."""

from datetime import timedelta

import pytest

from livetables.config import EngineConfig
from livetables.errors import SubscriptionError
from livetables.feed.probe import try_subscription
from local_supabase.stack.runtime import StackInfo
from tests.livetables.support import Signed
from tests.support.people import Person


def test_it_returns_how_long_subscribing_took(stack: StackInfo, ada: Person) -> None:
    config = EngineConfig(stack.url, stack.anon_key)
    assert try_subscription(config, ["users", "private_messages"], Signed(ada).access_token()) > timedelta(0)
    assert try_subscription(config, ["users"], None) > timedelta(0)


def test_it_raises_why_there_is_no_subscription(stack: StackInfo) -> None:
    with pytest.raises(SubscriptionError, match="Connect"):
        try_subscription(EngineConfig("http://127.0.0.1:9", stack.anon_key), ["users"], None)
