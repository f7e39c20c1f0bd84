"""A stranger who knows the password of somebody with a second factor gets nothing private."""

import json
from dataclasses import replace

import pytest
from postgrest.exceptions import APIError
from storage3.exceptions import StorageApiError

from db.hub import pictures
from local_supabase.stack.runtime import StackInfo
from tests.supabase_schema.listening import listening
from tests.support.people import Person, anonymous_client, show_picture, sign_up
from tests.support.second_factor import code_of, enrol
from tests.support.wait import wait_until

SECRET = "the treasure is under the third barrel"


def _stranger(stack: StackInfo, person: Person) -> Person:
    """Return the person's account with a session of the password alone."""
    client = anonymous_client(stack)
    client.auth.sign_in_with_password({"email": person.email, "password": person.password})
    return replace(person, client=client)


def _send(sender: Person, recipient: Person, body: str = SECRET) -> None:
    row = {"sender_id": sender.user_id, "recipient_id": recipient.user_id, "body": body}
    sender.client.table("private_messages").insert(row).execute()


def test_rest_tells_a_stranger_with_the_password_nothing_private(stack: StackInfo) -> None:
    ada, bo = sign_up(stack, "Ada"), sign_up(stack, "Bo")
    enrol(ada.client)
    _send(bo, ada)
    stranger = _stranger(stack, ada)
    assert stranger.client.table("private_messages").select("*").execute().data == []
    with pytest.raises(APIError) as refused:
        _send(stranger, bo, "Lend me your keys?")
    assert refused.value.code == "42501"
    changed = stranger.client.table("users").update({"bio": "mine"}).eq("id", ada.user_id).execute()
    assert changed.data == []
    assert SECRET in json.dumps(ada.client.table("private_messages").select("*").execute().data)


def test_the_code_opens_what_the_password_did_not(stack: StackInfo) -> None:
    ada, bo = sign_up(stack, "Ada"), sign_up(stack, "Bo")
    secret = enrol(ada.client)
    _send(bo, ada)
    again = _stranger(stack, ada).client
    [factor] = again.auth.mfa.list_factors().totp
    again.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": code_of(secret, 1)})
    assert len(again.table("private_messages").select("*").execute().data) == 1


def test_storage_gives_a_stranger_with_the_password_no_way_in(stack: StackInfo) -> None:
    ada = sign_up(stack, "Ada")
    enrol(ada.client)
    picture = show_picture(ada)
    files = _stranger(stack, ada).client.storage.from_(pictures.BUCKET)
    assert files.list(ada.user_id) == []
    assert files.remove([pictures.path_of(ada.user_id, picture)]) == []
    with pytest.raises(StorageApiError, match="row-level security"):
        files.upload(pictures.path_of(ada.user_id, ada.user_id), b"x", {"content-type": "image/webp"})
    assert len(ada.client.storage.from_(pictures.BUCKET).list(ada.user_id)) == 1


async def test_realtime_tells_a_stranger_with_the_password_nothing_private(stack: StackInfo) -> None:
    ada, bo = sign_up(stack, "Ada"), sign_up(stack, "Bo")
    enrol(ada.client)
    stranger = _stranger(stack, ada)
    tables = ("private_messages", "tavern_messages")
    async with listening(stack, ada, tables) as heard, listening(stack, stranger, tables) as overheard:
        _send(bo, ada)
        bo.client.table("tavern_messages").insert({"author_id": bo.user_id, "body": "Good evening"}).execute()
        await wait_until(
            lambda: "Good evening" in str(heard) and "Good evening" in str(overheard),
            what="the public message",
        )
    assert SECRET in str(heard)
    assert SECRET not in str(overheard)
