"""Storing the pictures of people."""

from __future__ import annotations

import io
import uuid

import pytest
from PIL import Image

from db.caller import Caller
from db.errors import InvalidValueError, NotAllowedError
from db.hub import pictures, users
from local_supabase.stack.runtime import StackInfo
from tests.db.conftest import SignUp
from tests.support.people import give_role
from tests.support.pictures import halves, written

CONTENT = written(halves(64, 64), "WEBP")


def new() -> str:
    return str(uuid.uuid4())


def files(me: Caller) -> list[str]:
    listed = me.clients.storage(me.access_token()).from_(pictures.BUCKET).list(me.user_id)
    return sorted(str(file["name"]).removesuffix(".webp") for file in listed)


def test_a_picture_is_stored_once_shown_and_replaced(sign_up: SignUp) -> None:
    me, first, second = sign_up("Ann"), new(), new()
    pictures.add(me, first, CONTENT)
    pictures.add(me, first, CONTENT)  # as after a lost answer
    record, before = pictures.choose(me, first)
    assert (record["picture"], before) == (first, None)
    answer = me.clients.request("GET", pictures.public_path(me.user_id, first))
    assert (answer.content, answer.headers["content-type"]) == (CONTENT, "image/webp")
    assert "max-age=31536000" in answer.headers["cache-control"]

    pictures.add(me, second, CONTENT)
    record, before = pictures.choose(me, second)
    assert (record["picture"], before) == (second, first)
    assert pictures.choose(me, second) == (record, None)
    pictures.tidy(me, second, before)
    assert files(me) == [second]

    record, before = pictures.choose(me, None)
    pictures.tidy(me, None, before)
    assert (record["picture"], files(me)) == (None, [])


def test_the_picture_of_another_tab_stays_until_that_has_named_it(sign_up: SignUp) -> None:
    me, mine, theirs = sign_up("Ann"), new(), new()
    for picture in (mine, theirs):
        pictures.add(me, picture, CONTENT)
    pictures.choose(me, mine)
    pictures.tidy(me, mine, None)
    assert files(me) == sorted((mine, theirs))


def test_what_else_was_changed_meanwhile_stays(sign_up: SignUp) -> None:
    me, picture = sign_up("Ann"), new()
    pictures.add(me, picture, CONTENT)
    users.change(me, me.user_id, {"bio": "Hello"}, version=1)
    record, _ = pictures.choose(me, picture)
    assert (record["bio"], record["picture"]) == ("Hello", picture)


def test_an_admin_takes_down_the_picture_that_they_see(sign_up: SignUp, stack: StackInfo) -> None:
    me, admin, seen, newer = sign_up("Ann"), sign_up("Adele"), new(), new()
    give_role(stack, admin.user_id, "admin")
    pictures.add(me, seen, CONTENT)
    pictures.choose(me, seen)
    users.change(me, me.user_id, {"bio": "Hello"}, version=2)
    record = pictures.take_down(admin, me.user_id, seen)
    assert (record["picture"], record["bio"], files(me)) == (None, "Hello", [])
    assert not me.clients.request("GET", pictures.public_path(me.user_id, seen)).is_success

    pictures.add(me, newer, CONTENT)
    pictures.choose(me, newer)
    assert pictures.take_down(admin, me.user_id, seen)["picture"] == newer
    with pytest.raises(NotAllowedError):
        pictures.take_down(sign_up("Bo"), me.user_id, newer)


def test_a_large_file_and_too_many_are_refused(sign_up: SignUp) -> None:
    me = sign_up("Ann")
    with pytest.raises(InvalidValueError, match="too large"):
        pictures.add(me, new(), b"x" * (pictures.LIMIT + 1))
    for _ in range(10):
        pictures.add(me, new(), CONTENT)
    with pytest.raises(InvalidValueError, match="often"):
        pictures.add(me, new(), CONTENT)


@pytest.mark.parametrize("size", [(1, 1), (300, 200), (512, 512), (513, 16)])
@pytest.mark.parametrize(
    "options", [{}, {"lossless": True}, {"icc_profile": b"colors"}], ids=["lossy", "lossless", "more"]
)
def test_the_head_of_a_file_tells_its_size(size: tuple[int, int], options: dict[str, object]) -> None:
    content = written(Image.new("RGB", size, "red"), "WEBP", **options)
    assert pictures.size_of_webp(content) == size
    assert pictures.is_small(content) == (not options and max(size) <= pictures.LARGEST_SIDE)


def test_what_is_no_webp_has_no_size() -> None:
    target = io.BytesIO()
    halves().save(target, "PNG")
    for content in (b"", b"RIFF", target.getvalue(), CONTENT[:29], CONTENT[:12] + b"ANIM" + CONTENT[16:]):
        assert pictures.size_of_webp(content) is None
        assert not pictures.is_small(content)
