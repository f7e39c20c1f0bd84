"""The parts of Realtime that all channels share."""

import logging
from dataclasses import dataclass, field

from local_supabase.realtime.limits import Limits, RateCounter
from local_supabase.realtime.postgres_changes import PostgresChanges
from local_supabase.realtime.private import Policies
from local_supabase.realtime.replay import MessageStore
from local_supabase.realtime.rooms import Rooms
from local_supabase.realtime.tasks import Tasks
from local_supabase.realtime.tokens import RealtimeTokens


@dataclass(frozen=True, slots=True)
class Services:
    """The shared parts; the three counters are the rates of the whole project."""

    limits: Limits
    tokens: RealtimeTokens
    rooms: Rooms
    policies: Policies
    changes: PostgresChanges
    store: MessageStore
    tasks: Tasks
    log: logging.Logger
    joins: RateCounter = field(default_factory=RateCounter)
    messages: RateCounter = field(default_factory=RateCounter)
    presence: RateCounter = field(default_factory=RateCounter)
