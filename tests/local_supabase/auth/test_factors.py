import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.local_supabase.auth.authenticator import enroll, problem, unenroll, with_factor
from tests.local_supabase.auth.conftest import Auth, AuthFactory, Session

if TYPE_CHECKING:
    import asyncpg

pytestmark = pytest.mark.usefixtures("standing_clock")

NOBODY = "6f1d0c9e-5a7b-4c7e-9d55-0b1f6a1c2e34"
"""An id that no row has; fixed, so that the tests have the same names each time."""


async def test_somebody_elses_factor_does_not_exist_for_one(auth: Auth) -> None:
    _, theirs = await with_factor(auth)
    mallory = await auth.sign_up()
    missing = (404, "mfa_factor_not_found")
    asked = await auth.post(f"/factors/{theirs.id}/challenge", {}, mallory.access_token)
    body = {"challenge_id": NOBODY, "code": theirs.code()}
    entered = await auth.post(f"/factors/{theirs.id}/verify", body, mallory.access_token)
    removal = await unenroll(auth, mallory.access_token, theirs)
    assert [problem(answer) for answer in (asked, entered, removal)] == [missing] * 3


async def test_a_guest_has_no_factors(auth_with: AuthFactory) -> None:
    auth = auth_with(anonymous=True)
    guest = Session.of(await auth.post("/signup", {}))
    answer = await auth.post("/factors", {"factor_type": "totp"}, guest.access_token)
    assert problem(answer) == (403, "no_authorization")


async def test_names_differ_and_their_number_is_bounded(auth_with: AuthFactory) -> None:
    auth = auth_with(max_enrolled_factors=2)
    session = await auth.sign_up()
    await enroll(auth, session.access_token, "phone")
    body = {"factor_type": "totp", "friendly_name": "phone"}
    assert problem(await auth.post("/factors", body, session.access_token)) == (
        422,
        "mfa_factor_name_conflict",
    )
    await enroll(auth, session.access_token, "tablet")
    body["friendly_name"] = "watch"
    assert problem(await auth.post("/factors", body, session.access_token)) == (
        422,
        "too_many_enrolled_mfa_factors",
    )


async def test_many_enrolments_at_once_stay_within_the_bound(auth_with: AuthFactory) -> None:
    auth = auth_with(max_enrolled_factors=3)
    session = await auth.sign_up()
    answers = await asyncio.gather(
        *(
            auth.post("/factors", {"factor_type": "totp", "friendly_name": f"{n}"}, session.access_token)
            for n in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [422] * 5


async def test_an_enrolment_that_nobody_finished_makes_room(
    auth: Auth, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    session = await auth.sign_up()
    abandoned = await enroll(auth, session.access_token)
    await sql.execute(
        "update auth.mfa_factors set created_at = created_at - interval '301 seconds' where id = $1",
        abandoned.id,
    )
    again = await enroll(auth, session.access_token)
    factors = (await auth.get("/user", session.access_token)).json()["factors"]
    assert [factor["id"] for factor in factors] == [again.id]


async def test_another_factor_needs_a_code_of_the_first(auth: Auth) -> None:
    session, _ = await with_factor(auth)
    stranger = Session.of(await auth.sign_in(session.email))
    body = {"factor_type": "totp", "friendly_name": "of a stranger"}
    assert problem(await auth.post("/factors", body, stranger.access_token)) == (403, "insufficient_aal")
    assert (await auth.post("/factors", body, session.access_token)).status_code == 200


async def test_an_unverified_factor_is_removed_without_a_code(auth: Auth) -> None:
    session = await auth.sign_up()
    factor = await enroll(auth, session.access_token)
    assert (await unenroll(auth, session.access_token, factor)).status_code == 200
