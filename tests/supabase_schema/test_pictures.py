"""Pictures of people: whose they are, how many, and that they go with the account."""

import uuid

import pytest

from tests.supabase_schema.database import Session, World, message

PUT = "insert into storage.objects (bucket_id, name, metadata) values ('avatars', %s, '{\"size\": 1}')"


def key(person: str) -> str:
    return f"{person}/{uuid.uuid4()}.webp"


def test_the_bucket_takes_small_pictures_only(db: Session) -> None:
    bucket = "select public, file_size_limit, allowed_mime_types from storage.buckets where id = 'avatars'"
    assert db.rows(bucket) == [(True, 65536, ["image/webp"])]


def test_a_person_shows_and_removes_a_picture_of_their_own(db: Session, world: World) -> None:
    me = world.people["owner"]
    db.act_as(me)
    change = "update public.users set picture = %s where id = %s"
    assert db.run(change, str(uuid.uuid4()), me) == 1
    assert db.run(change, None, me) == 1


@pytest.mark.parametrize("role", ["admin", "other"])
def test_nobody_shows_a_picture_as_somebody_elses(db: Session, world: World, role: str) -> None:
    change = "update public.users set picture = %s where id = %s"
    db.act_as(world.people[role])
    if role == "admin":
        refused = db.refusal(change, str(uuid.uuid4()), world.people["owner"])
        assert message(refused) == "Only the person can edit this profile."
    else:
        assert db.run(change, str(uuid.uuid4()), world.people["owner"]) == 0


def test_an_admin_takes_a_picture_down_with_its_file(db: Session, world: World) -> None:
    person, picture, other = world.people["owner"], str(uuid.uuid4()), str(uuid.uuid4())
    db.act_as(person)
    for each in (picture, other):
        db.run(PUT, f"{person}/{each}.webp")
    db.run("update public.users set picture = %s where id = %s", picture, person)
    db.act_as(world.people["admin"])
    assert db.run("update public.users set picture = null where id = %s", person) == 1
    db.act_as(person)
    assert db.rows("select picture from public.users where id = %s", person) == [(None,)]
    mine = "select name from storage.objects where bucket_id = 'avatars' and starts_with(name, %s)"
    assert db.rows(mine, person) == [(f"{person}/{other}.webp",)]


@pytest.mark.parametrize("more", ["display_name = 'Else'", "bio = 'Else'", "avatar = '🦉'"])
def test_an_admin_takes_nothing_else_down_with_it(db: Session, world: World, more: str) -> None:
    person = world.people["owner"]
    db.act_as(world.people["admin"])
    refused = db.refusal(f"update public.users set picture = null, {more} where id = %s", person)
    assert message(refused) == "Only the person can edit this profile."


def test_a_person_deletes_the_old_file_when_all_tabs_have_the_new_one(db: Session, world: World) -> None:
    me, picture = world.people["owner"], str(uuid.uuid4())
    db.act_as(me)
    db.run(PUT, f"{me}/{picture}.webp")
    for value in (picture, None):
        db.run("update public.users set picture = %s where id = %s", value, me)
    assert db.rows(
        "select name from storage.objects where bucket_id = 'avatars' and starts_with(name, %s)", me
    )


def test_a_picture_is_no_address(db: Session, world: World) -> None:
    me = world.people["owner"]
    refused = db.refusal(
        "update public.users set picture = %s where id = %s", "https://elsewhere.example/a.webp", me
    )
    assert refused.pgcode == "22P02"


@pytest.mark.parametrize(
    "name",
    [
        "{other}/00000000-0000-4000-8000-000000000000.webp",
        "{me}/a.webp",
        "{me}/00000000-0000-4000-8000-000000000000.html",
        "{me}/00000000-0000-4000-8000-000000000000.webp/more",
        "{me}/more/00000000-0000-4000-8000-000000000000.webp",
        "00000000-0000-4000-8000-000000000000.webp",
        "x/{me}/00000000-0000-4000-8000-000000000000.webp",
    ],
)
def test_a_file_has_a_name_of_its_own_in_its_persons_folder(db: Session, world: World, name: str) -> None:
    me, other = world.people["owner"], world.people["other"]
    db.act_as(me)
    assert db.refusal(PUT, name.format(me=me, other=other)).pgcode == "42501"


def test_a_person_keeps_few_files(db: Session, world: World) -> None:
    me = world.people["owner"]
    db.act_as(me)
    for _ in range(10):
        assert db.run(PUT, key(me)) == 1
    assert db.refusal(PUT, key(me)).pgcode == "42501"
    db.act_as(world.people["other"])
    assert db.run(PUT, key(world.people["other"])) == 1


def test_a_file_is_never_changed(db: Session, world: World) -> None:
    me = world.people["owner"]
    db.act_as(me)
    db.run(PUT, key(me))
    assert db.run("update storage.objects set metadata = '{}' where bucket_id = 'avatars'") == 0


def test_pictures_go_with_the_account(db: Session, world: World) -> None:
    gone, stays = world.people["other"], world.people["owner"]
    for person in (gone, stays):
        db.run(PUT, key(person))
    db.run("delete from auth.users where id = %s", gone)
    left = db.rows("select split_part(name, '/', 1) from storage.objects where bucket_id = 'avatars'")
    assert (gone,) not in left
    assert (stays,) in left


PUT_OF_EVENT = PUT.replace("'avatars'", "'event-pictures'")
OF_EVENT = "select name from storage.objects where bucket_id = 'event-pictures' and starts_with(name, %s)"
SHOW = "update public.events set picture = %s where id = %s"


@pytest.mark.parametrize("role", ["owner", "cohost"])
def test_hosts_add_and_show_pictures_of_their_event(db: Session, world: World, role: str) -> None:
    picture = str(uuid.uuid4())
    db.act_as(world.people[role])
    assert db.run(PUT_OF_EVENT, f"{world.event}/{picture}.webp") == 1
    assert db.run(SHOW, picture, world.event) == 1


@pytest.mark.parametrize("role", ["other", "admin"])
def test_nobody_else_adds_a_picture_of_an_event(db: Session, world: World, role: str) -> None:
    db.act_as(world.people[role])
    assert db.refusal(PUT_OF_EVENT, key(world.event)).pgcode == "42501"


@pytest.mark.parametrize("name", ["{}/a.webp", "{}/../x.webp", "{}.webp", "x/{}/a.webp"])
def test_a_picture_of_an_event_has_a_name_of_its_own(db: Session, world: World, name: str) -> None:
    db.act_as(world.people["owner"])
    assert db.refusal(PUT_OF_EVENT, name.format(world.event)).pgcode == "42501"


def test_an_event_keeps_few_pictures(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    for _ in range(10):
        db.run(PUT_OF_EVENT, key(world.event))
    assert db.refusal(PUT_OF_EVENT, key(world.event)).pgcode == "42501"


def test_the_old_picture_of_an_event_goes_when_it_shows_another_or_none(db: Session, world: World) -> None:
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    db.act_as(world.people["owner"])
    for each in (first, second):
        db.run(PUT_OF_EVENT, f"{world.event}/{each}.webp")
        db.run(SHOW, each, world.event)
    assert db.rows(OF_EVENT, world.event) == [(f"{world.event}/{second}.webp",)]
    db.act_as(world.people["admin"])
    assert db.run(SHOW, None, world.event) == 1
    db.act_as_owner()
    assert db.rows(OF_EVENT, world.event) == []


def test_the_pictures_of_an_event_go_with_it(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    db.run(PUT_OF_EVENT, key(world.event))
    db.run("delete from public.events where id = %s", world.event)
    db.act_as_owner()
    assert db.rows(OF_EVENT, world.event) == []
