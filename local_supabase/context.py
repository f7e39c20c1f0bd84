"""What every service of the gateway is given."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from local_supabase.database import Database
from local_supabase.identity import TokenVerifier
from local_supabase.keys import Keys
from local_supabase.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The shared parts of the gateway process."""

    settings: Settings
    keys: Keys
    database: Database
    verifier: TokenVerifier
    log: logging.Logger
