"""PKCE: the state between the request for a mail and the exchange of its code (``auth.flow_state``)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from local_supabase.auth.models import User
from local_supabase.database import Connection

LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class FlowState:
    """A stored challenge; ``method`` is the authentication method of the session that it leads to."""

    id: UUID
    user_id: str
    challenge: str
    challenge_method: str
    method: str
    created_at: datetime
    issued_at: datetime | None

    def is_expired(self) -> bool:
        """Return whether the code is too old. Its lifetime begins when the link is followed."""
        return datetime.now(UTC) > (self.issued_at or self.created_at) + LIFETIME


async def store(
    connection: Connection, user: User, method: str, challenge: str, challenge_method: str
) -> None:
    """Store a challenge until its link is followed."""
    await connection.execute(
        """
        insert into auth.flow_state (id, user_id, auth_code, code_challenge_method, code_challenge,
            provider_type, authentication_method, created_at, updated_at)
        values (gen_random_uuid(), $1, $2, $3::text::auth.code_challenge_method, $4, $5, $6,
            clock_timestamp(), clock_timestamp())
        """,
        UUID(user.id),
        str(uuid4()),
        challenge_method.lower(),
        challenge,
        "email" if method == "email/signup" else method,
        method,
    )


async def issue_code(connection: Connection, user: User, method: str) -> str | None:
    """Return the code of the user's newest flow of a method and begin its lifetime; None without a flow."""
    code = await connection.fetchval(
        """
        update auth.flow_state set auth_code_issued_at = clock_timestamp(), updated_at = clock_timestamp()
         where id = (select id from auth.flow_state where user_id = $1 and authentication_method = $2
                      order by created_at desc limit 1)
        returning auth_code
        """,
        UUID(user.id),
        method,
    )
    return None if code is None else str(code)


async def find(connection: Connection, code: str) -> FlowState | None:
    """Return the flow of a code, locked until the transaction ends, so that a code is exchanged only once."""
    record = await connection.fetchrow(
        """
        select id, user_id::text, code_challenge, code_challenge_method::text, authentication_method,
               created_at, auth_code_issued_at
          from auth.flow_state where auth_code = $1 and user_id is not null for update
        """,
        code,
    )
    if record is None:
        return None
    return FlowState(
        id=record["id"],
        user_id=record["user_id"],
        challenge=record["code_challenge"],
        challenge_method=record["code_challenge_method"],
        method=record["authentication_method"],
        created_at=record["created_at"],
        issued_at=record["auth_code_issued_at"],
    )


async def delete(connection: Connection, flow: FlowState) -> None:
    """Delete a flow whose code was exchanged."""
    await connection.execute("delete from auth.flow_state where id = $1", flow.id)
