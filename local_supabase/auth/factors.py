"""Reads and writes ``auth.mfa_factors`` and ``auth.mfa_challenges``."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from local_supabase.auth.models import Factor, User
from local_supabase.database import Connection

TOTP = "totp"


async def insert_totp(connection: Connection, user: User, friendly_name: str, secret: str) -> str:
    """Insert a factor that is not verified yet and return its id."""
    factor_id = await connection.fetchval(
        """
        insert into auth.mfa_factors
            (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)
        values (gen_random_uuid(), $1, $2, 'totp', 'unverified', clock_timestamp(), clock_timestamp(), $3)
        returning id::text
        """,
        UUID(user.id),
        friendly_name,
        secret,
    )
    return str(factor_id)


async def delete_expired(connection: Connection, user: User, lifetime: int) -> None:
    """Delete the user's factors that were begun more than ``lifetime`` seconds ago and never challenged."""
    await connection.execute(
        """
        delete from auth.mfa_factors f
         where user_id = $1 and status = 'unverified'
           and created_at < clock_timestamp() - make_interval(secs => $2)
           and not exists (select from auth.mfa_challenges where factor_id = f.id)
        """,
        UUID(user.id),
        lifetime,
    )


async def lock_user(connection: Connection, user: User) -> None:
    """Let no other transaction enrol a factor of the user until this one ends."""
    await connection.execute("select from auth.users where id = $1 for no key update", UUID(user.id))


@dataclass(frozen=True, slots=True)
class Secret:
    """What the check of a code needs: a factor's secret, and the time step of its last used code."""

    text: str
    is_verified: bool
    used_step: int


async def lock_secret(connection: Connection, factor: Factor) -> Secret | None:
    """Return a factor's secret and lock the factor until the transaction ends; None if it was deleted."""
    record = await connection.fetchrow(
        "select secret, status::text from auth.mfa_factors where id = $1 for update", UUID(factor.id)
    )
    if record is None or record["secret"] is None:
        return None
    # The step of a code stands where a code by SMS would: GoTrue leaves the column empty for TOTP.
    used = await connection.fetchval(
        """
        select max(otp_code::bigint) from auth.mfa_challenges
         where factor_id = $1 and verified_at is not null and otp_code ~ '^[0-9]{1,18}$'
        """,
        UUID(factor.id),
    )
    return Secret(record["secret"], record["status"] == "verified", used if isinstance(used, int) else -1)


async def mark_verified(connection: Connection, factor: Factor) -> None:
    """Make a factor count, and delete the user's others of its kind that nobody finished."""
    await connection.execute(
        """
        with verified as (
            update auth.mfa_factors set status = 'verified', updated_at = clock_timestamp() where id = $1
        )
        delete from auth.mfa_factors
         where user_id = $2 and id <> $1 and status = 'unverified' and factor_type::text = $3
        """,
        UUID(factor.id),
        UUID(factor.user_id),
        factor.factor_type,
    )


async def rename(connection: Connection, factor: Factor, friendly_name: str) -> None:
    """Give a factor another name."""
    await connection.execute(
        "update auth.mfa_factors set friendly_name = $2, updated_at = clock_timestamp() where id = $1",
        UUID(factor.id),
        friendly_name,
    )


async def delete(connection: Connection, factor: Factor) -> None:
    """Delete a factor with its challenges."""
    await connection.execute("delete from auth.mfa_factors where id = $1", UUID(factor.id))


async def delete_all(connection: Connection, user_id: str) -> None:
    """Delete all factors of a user."""
    await connection.execute("delete from auth.mfa_factors where user_id = $1", UUID(user_id))


@dataclass(frozen=True, slots=True)
class Challenge:
    """A row of ``auth.mfa_challenges``."""

    id: str
    created_at: datetime
    verified_at: datetime | None
    ip_address: str


async def insert_challenge(connection: Connection, factor: Factor, ip_address: str) -> Challenge:
    """Insert a challenge of a factor, and delete those of a day ago, of which nothing is needed any more."""
    record = await connection.fetchrow(
        """
        with challenged as (
            update auth.mfa_factors set last_challenged_at = clock_timestamp() where id = $1
        ), old as (
            delete from auth.mfa_challenges
             where factor_id = $1 and created_at < clock_timestamp() - interval '1 day'
        )
        insert into auth.mfa_challenges (id, factor_id, created_at, ip_address)
        values (gen_random_uuid(), $1, clock_timestamp(), $2::text::inet)
        returning id::text, created_at
        """,
        UUID(factor.id),
        ip_address,
    )
    if record is None:
        raise LookupError("an insert returned no row")
    return Challenge(record["id"], record["created_at"], None, ip_address)


async def lock_challenge(connection: Connection, factor: Factor, challenge_id: UUID) -> Challenge | None:
    """Return a challenge of a factor and lock it until the transaction ends; None without one."""
    record = await connection.fetchrow(
        """
        select id::text, created_at, verified_at, host(ip_address) as ip_address
          from auth.mfa_challenges where id = $1 and factor_id = $2 for update
        """,
        challenge_id,
        UUID(factor.id),
    )
    if record is None:
        return None
    return Challenge(record["id"], record["created_at"], record["verified_at"], record["ip_address"])


async def finish_challenge(connection: Connection, challenge: Challenge, step: int) -> None:
    """Note that a challenge was met by the code of a time step, which no other may use again."""
    await connection.execute(
        "update auth.mfa_challenges set verified_at = clock_timestamp(), otp_code = $2 where id = $1",
        UUID(challenge.id),
        str(step),
    )


async def delete_challenge(connection: Connection, challenge: Challenge) -> None:
    """Delete a challenge that has expired."""
    await connection.execute("delete from auth.mfa_challenges where id = $1", UUID(challenge.id))
