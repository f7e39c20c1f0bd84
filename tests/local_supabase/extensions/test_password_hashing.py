import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from local_supabase.extensions.password_hashing import FOLDER, PasswordHashing
from tests.support.wait import wait_for

REQUEST = "5a8f3d2e-6f0b-4c7e-9d35-0f2b7a1c4e68"
SALT = b"$2a$04$abcdefghijklmnopqrstuu"


@pytest.fixture
def hashing(tmp_path: Path) -> Iterator[PasswordHashing]:
    service = PasswordHashing(tmp_path)
    service.start(None)
    yield service
    service.stop()


@pytest.fixture
def folder(tmp_path: Path, hashing: PasswordHashing) -> Path:
    return tmp_path / FOLDER


def send(folder: Path, line: str) -> None:
    descriptor = os.open(folder / "requests", os.O_WRONLY | os.O_NONBLOCK)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def answer(folder: Path, password: bytes) -> bytes:
    request = str(uuid.uuid4())
    send(folder, f"{request} {password.hex()} {SALT.hex()}")
    wait_for((folder / request).exists, what="the hash")
    made = (folder / request).read_bytes()
    send(folder, request)
    wait_for(lambda: not (folder / request).exists(), what="the end of the answer")
    return made


@pytest.mark.parametrize("password", [b"", b"secret", b"x" * 72, "ünï☂".encode()])
def test_a_request_is_answered_with_bcrypts_hash(folder: Path, password: bytes) -> None:
    assert answer(folder, password) == bcrypt.hashpw(password, SALT)


@pytest.mark.parametrize(
    "line",
    ["", "stopped", "../../escape 00 00", f"{REQUEST} 0 {SALT.hex()}", f"{REQUEST} 00", "a" * 9000],
)
def test_what_is_no_request_is_ignored(folder: Path, line: str) -> None:
    send(folder, line)
    assert answer(folder, b"next") == bcrypt.hashpw(b"next", SALT)
    assert [path.name for path in folder.iterdir()] == ["requests"]


def test_a_salt_that_bcrypt_refuses_ends_nothing(folder: Path) -> None:
    send(folder, f"{uuid.uuid4()} 00 {(b'$2a$99$' + SALT[7:]).hex()}")
    assert answer(folder, b"next") == bcrypt.hashpw(b"next", SALT)


def test_nothing_is_left_that_a_copy_of_the_folder_would_wait_for(tmp_path: Path, folder: Path) -> None:
    service = PasswordHashing(tmp_path / "other")
    (tmp_path / "other").mkdir()
    service.start(None)
    service.stop()
    service.stop()
    assert folder.exists()
    assert not list((tmp_path / "other").iterdir())


def test_a_second_start_removes_what_the_first_left(tmp_path: Path, hashing: PasswordHashing) -> None:
    left = tmp_path / FOLDER / str(uuid.uuid4())
    left.write_text("old")
    hashing.start(None)
    assert not left.exists()
    assert answer(tmp_path / FOLDER, b"new") == bcrypt.hashpw(b"new", SALT)
