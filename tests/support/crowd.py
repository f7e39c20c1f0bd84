"""Many people at once: made in the database, with tokens as Auth signs them, since signing up is slow."""

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import jwt
import psycopg2
import psycopg2.extras

from local_supabase.keys import load_keys
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo

_MAKE = """
    insert into auth.users (id, instance_id, aud, role, email, raw_user_meta_data, created_at, updated_at)
    select id, '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated',
        id || '@crowd.example', jsonb_build_object('display_name', 'Guest ' || left(id::text, 8)),
        now(), now()
    from unnest(%s::uuid[]) as id"""


@dataclass(slots=True)
class Guest:
    """One of many people, as the engine needs them; their token is valid for so many seconds at a time."""

    user_id: str
    secret: str
    lifetime: float = 3600.0
    callbacks: list[Callable[[str], object]] = field(default_factory=list)

    def access_token(self) -> str:
        """Sign a new token."""
        now = int(time.time())
        claims = {"sub": self.user_id, "role": "authenticated", "aud": "authenticated", "iat": now}
        # Two tokens of one second differ, as those of Auth do.
        own = {"exp": now + int(self.lifetime), "jti": str(uuid.uuid4())}
        return jwt.encode({**claims, **own}, self.secret, algorithm="HS256")

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Follow the tokens that `renew` passes on."""
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def renew(self) -> None:
        """Pass a new token on."""
        for callback in list(self.callbacks):
            callback(self.access_token())


def crowd(stack: StackInfo, count: int) -> list[Guest]:
    """Make so many people."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    with contextlib.closing(psycopg2.connect(stack.database_url)) as database, database:
        database.cursor().execute(_MAKE, (ids,))
    secret = load_keys(DataDir(stack.data_dir)).jwt_secret
    return [Guest(user_id, secret) for user_id in ids]
