"""The context that the gateway passes to every service."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from local_supabase.database import Database
from local_supabase.identity import TokenVerifier
from local_supabase.keys import Keys
from local_supabase.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """What the services of one gateway process share.

    Arguments:
        settings: addresses, folders and the project's `config.toml`.
        keys: the stack's secrets.
        database: the connection pools.
        verifier: verifies callers' tokens.
        log: the parent of the services' loggers.
        forgetting: what a test stack calls when it goes back to its first state. The services add what makes
            them forget what they hold in memory.
    """

    settings: Settings
    keys: Keys
    database: Database
    verifier: TokenVerifier
    log: logging.Logger
    forgetting: list[Callable[[], None]] = field(default_factory=list)
