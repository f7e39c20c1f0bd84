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
async def test_an_invalid_hash_matches_nothing(hasher: PasswordHasher, stored: str | None) -> None:
    assert not await hasher.verify("secret", stored)


async def test_no_account_takes_as_long_as_a_wrong_password(hasher: PasswordHasher) -> None:
    clock = asyncio.get_running_loop().time
    hashed = await hasher.hash("secret")

    async def quickest(known: str | None) -> float:
        """Return the least of several times, which other work on the machine lengthens least."""
        times: list[float] = []
        for _ in range(4):
            began = clock()
            await hasher.verify("wrong", known)
            times.append(clock() - began)
        return min(times)

    assert await quickest(None) > await quickest(hashed) / 5


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


@pytest.mark.parametrize(
    "password",
    [
        *("123456789", "password1", "Password1", "QWERTYUIOP", "iloveyou"),
        *("password1 ", " password1", "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff441"),
        *("aaaaaaaa", " " * 8, "\u3000" * 8, "AAAAaaaa", "abcdefgh", "hgfedcba", "89012345"),
        *("letmein123", "passw0rd!", "Dragon2024!", "tavern-demo", "Tavern-Demo1"),
    ],
    ids=ascii,
)
def test_a_common_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError) as refused:
        check_strength(password, 8)
    assert refused.value.reasons == ("pwned",)


@pytest.mark.parametrize(
    "password",
    ["a-long-test-password", "correct horse battery", "tavern-demonstration", "abcdefgh-xyz", "p4$$-w-1-x"],
)
def test_other_passwords_are_good(password: str) -> None:
    assert check_strength(password, 8) is None  # type: ignore[func-returns-value]


def test_a_password_beyond_bcrypts_limit_is_refused() -> None:
    check_strength("xyz" * 24, 6)
    with pytest.raises(AuthError, match="Password cannot be longer than 72 characters"):
        check_strength("ü" * 37, 6)


def test_a_random_password_is_strong_and_fits() -> None:
    check_strength(random_password(), 6)
    assert random_password() != random_password()


def test_a_whole_bcrypt_hash_is_recognized() -> None:
    assert is_bcrypt_hash(bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode())
    assert not is_bcrypt_hash("$argon2id$v=19$m=65536,t=3,p=4$" + "a" * 29)
