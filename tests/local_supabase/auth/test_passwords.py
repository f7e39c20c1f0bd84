import asyncio
from collections.abc import Iterator

import bcrypt
import pytest

from local_supabase.auth.errors import AuthError, WeakPasswordError
from local_supabase.auth.passwords import PasswordHasher, check_strength, is_bcrypt_hash, random_password


@pytest.fixture(scope="module")
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(2)
    yield hasher
    hasher.close()


async def test_a_hash_is_gotrues_and_verifies(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash("päss wörd")
    assert hashed.startswith("$2a$10$")
    assert await hasher.verify("päss wörd", hashed)
    assert not await hasher.verify("pass word", hashed)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
async def test_hashes_of_other_tools_verify(hasher: PasswordHasher, prefix: str) -> None:
    made = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    assert await hasher.verify("secret", prefix + made[4:])


@pytest.mark.parametrize(
    "stored", [None, "", "secret", "$2a$10$short", "$2a$99$" + "a" * 53, "$2a$04$" + "!" * 53]
)
async def test_what_is_no_hash_matches_nothing(hasher: PasswordHasher, stored: str | None) -> None:
    assert not await hasher.verify("secret", stored)


async def test_no_account_takes_as_long_as_a_wrong_password(hasher: PasswordHasher) -> None:
    clock = asyncio.get_running_loop().time
    hashed = await hasher.hash("secret")
    began = clock()
    await hasher.verify("wrong", hashed)
    known = clock() - began
    began = clock()
    await hasher.verify("wrong", None)
    assert clock() - began > known / 5


async def test_hashing_leaves_the_event_loop_free(hasher: PasswordHasher) -> None:
    hashing = asyncio.create_task(hasher.hash("secret"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


@pytest.mark.parametrize(
    ("password", "required", "reasons"),
    [
        ("12345", (), ("length",)),
        ("123456", ("abc", "0123456789"), ("characters",)),
        ("1", ("abc",), ("length", "characters")),
    ],
)
def test_a_weak_password_is_refused_with_reasons(
    password: str, required: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    with pytest.raises(WeakPasswordError) as refused:
        check_strength(password, 6, required)
    assert refused.value.reasons == reasons
    assert refused.value.status == 422


def test_a_password_beyond_bcrypts_limit_is_refused() -> None:
    check_strength("x" * 72, 6)
    with pytest.raises(AuthError, match="Password cannot be longer than 72 characters"):
        check_strength("ü" * 37, 6)


def test_a_random_password_is_strong_and_fits() -> None:
    check_strength(random_password(), 6)
    assert random_password() != random_password()


def test_a_whole_bcrypt_hash_is_recognized() -> None:
    assert is_bcrypt_hash(bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode())
    assert not is_bcrypt_hash("$argon2id$v=19$m=65536,t=3,p=4$" + "a" * 29)
