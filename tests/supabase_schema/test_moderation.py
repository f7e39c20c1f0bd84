"""Hidden messages: who hides and who reads, in the common room and in the discussions of events."""

import pytest

from tests.supabase_schema.database import Session, World, message, new_event

HIDE = "update public.tavern_messages set hidden_at = now() where id = %s"
SHOW = "update public.tavern_messages set hidden_at = null where id = %s"


@pytest.fixture
def hidden(db: Session, world: World) -> str:
    """Give a message that the admin has hidden."""
    db.act_as(world.people["admin"])
    assert db.run(HIDE, world.chat) == 1
    db.act_as_owner()
    return world.chat


def body_of(db: Session, chat: str) -> object:
    """Return the text that everybody reads."""
    return db.value("select body from public.tavern_messages where id = %s", chat)


def test_the_text_of_a_hidden_message_is_gone_from_the_row(db: Session, world: World, hidden: str) -> None:
    (row,) = db.rows(
        "select body, hidden_at is not null, hidden_by::text, edited_at, version"
        " from public.tavern_messages where id = %s",
        hidden,
    )
    assert row == (None, True, world.people["admin"], None, 2)


@pytest.mark.parametrize("role", ["visitor", "other", "cohost"])
def test_others_cannot_read_the_text(db: Session, world: World, hidden: str, role: str) -> None:
    person = world.people.get(role)
    db.act_as(person)
    assert body_of(db, hidden) is None
    assert db.refusal("select * from private.hidden_bodies").pgcode == "42501"
    assert db.rows("select * from public.change_log") == []
    if person is None:
        assert db.refusal("select public.hidden_message_body(%s)", hidden).pgcode == "42501"
    else:
        assert db.value("select public.hidden_message_body(%s)", hidden) is None


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_its_author_and_admins_can_read_the_text(db: Session, world: World, hidden: str, role: str) -> None:
    db.act_as(world.people[role])
    assert db.value("select public.hidden_message_body(%s)", hidden) == "Hello"


def test_unhiding_restores_the_text(db: Session, world: World, hidden: str) -> None:
    db.act_as(world.people["admin"])
    assert db.run(SHOW, hidden) == 1
    (row,) = db.rows("select body, hidden_at, hidden_by from public.tavern_messages where id = %s", hidden)
    assert row == ("Hello", None, None)
    assert db.value("select public.hidden_message_body(%s)", hidden) is None


def test_hiding_twice_keeps_the_first_time_and_the_text(db: Session, world: World, hidden: str) -> None:
    db.act_as(world.people["admin"])
    db.run("update public.tavern_messages set hidden_at = 'epoch' where id = %s", hidden)
    assert db.value("select hidden_at = now() from public.tavern_messages where id = %s", hidden) is True
    assert db.value("select public.hidden_message_body(%s)", hidden) == "Hello"


def test_an_author_cannot_unhide_it(db: Session, world: World, hidden: str) -> None:
    db.act_as(world.people["owner"])
    assert message(db.refusal(SHOW, hidden)) == "Only a moderator can hide or show a message."
    edit = "update public.tavern_messages set body = 'Again' where id = %s"
    assert message(db.refusal(edit, hidden)) == "This message was hidden by a moderator."
    assert db.run("delete from public.tavern_messages where id = %s", hidden) == 1


def test_an_admin_cannot_change_the_text(db: Session, world: World) -> None:
    db.act_as(world.people["admin"])
    edit = "update public.tavern_messages set body = 'I was wrong', hidden_at = now() where id = %s"
    assert message(db.refusal(edit, world.chat)) == "Only the author can edit a message."


def test_deleting_a_hidden_message_deletes_its_text(db: Session, world: World, hidden: str) -> None:
    db.run("delete from auth.users where id = %s", world.people["owner"])
    assert db.value("select count(*) from private.hidden_bodies where message_id = %s", hidden) == 0


def test_a_message_stays_hidden_after_the_admin_is_deleted(db: Session, world: World, hidden: str) -> None:
    db.run("delete from auth.users where id = %s", world.people["admin"])
    (row,) = db.rows(
        "select body, hidden_at is not null, hidden_by from public.tavern_messages where id = %s", hidden
    )
    assert row == (None, True, None)


def test_editing_sets_the_time(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    db.run("update public.tavern_messages set body = 'Hello!', edited_at = 'epoch' where id = %s", world.chat)
    assert db.value("select edited_at = now() from public.tavern_messages where id = %s", world.chat) is True


def test_a_new_message_is_neither_edited_nor_hidden(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    db.run("insert into public.tavern_messages (body, edited_at, hidden_by) values ('Fresh', 'epoch', %s)",
           world.people["admin"])  # fmt: skip
    assert db.rows("select edited_at, hidden_by from public.tavern_messages where body = 'Fresh'") == [
        (None, None)
    ]


def test_realtime_does_not_send_an_old_text(db: Session) -> None:
    # `old_record` holds the replica identity, which is the key here. No text may be stored outside its row,
    # because Realtime would leave it out of `record`.
    identity = db.value(
        "select relreplident::text from pg_class where oid = 'public.tavern_messages'::regclass"
    )
    assert identity == "d"


def test_the_longest_message_stays_in_its_row(db: Session, world: World) -> None:
    emoji = "select string_agg(chr(128512 + (random() * 79)::int), '') from generate_series(1, 2000)"
    db.run(f"update public.tavern_messages set body = ({emoji}) where id = %s", world.chat)
    toast = db.value(
        "select pg_relation_size(reltoastrelid) from pg_class where oid = 'public.tavern_messages'::regclass"
    )
    assert toast == 0


HIDE_SAID = "update public.event_messages set hidden_at = now() where id = %s"
SHOW_SAID = "update public.event_messages set hidden_at = null where id = %s"


@pytest.mark.parametrize("role", ["owner", "cohost", "admin"])
def test_hosts_and_admins_hide_what_is_said_about_an_event(db: Session, world: World, role: str) -> None:
    db.act_as(world.people[role])
    assert db.run(HIDE_SAID, world.said) == 1
    columns = "body, hidden_at is not null, hidden_by::text, edited_at"
    found = db.rows(f"select {columns} from public.event_messages where id = %s", world.said)
    assert found == [(None, True, world.people[role], None)]
    assert db.run(SHOW_SAID, world.said) == 1
    found = db.rows(f"select {columns} from public.event_messages where id = %s", world.said)
    assert found == [("Hello", False, None, None)]


def test_what_a_host_has_hidden_its_author_neither_edits_nor_shows_nor_reads(
    db: Session, world: World
) -> None:
    db.act_as(world.people["cohost"])
    db.run(HIDE_SAID, world.said)
    db.act_as(world.people["recipient"])
    edit = "update public.event_messages set body = 'Again' where id = %s"
    assert message(db.refusal(edit, world.said)) == "This message was hidden by a moderator."
    assert message(db.refusal(SHOW_SAID, world.said)) == "Only hosts and admins can hide or show a message."
    assert db.refusal("select * from private.hidden_event_bodies").pgcode == "42501"
    assert db.run("delete from public.event_messages where id = %s", world.said) == 1


def test_the_host_of_another_event_hides_nothing(db: Session, world: World) -> None:
    new_event(db, world.people["other"])
    db.act_as(world.people["other"])
    assert db.run(HIDE_SAID, world.said) == 0


def test_a_cancelled_event_is_still_talked_about(db: Session, world: World) -> None:
    db.run("update public.events set cancelled_at = now() where id = %s", world.event)
    db.act_as(world.people["other"])
    db.run("insert into public.event_messages (event_id, body) values (%s, 'A pity')", world.event)
    db.act_as(None)
    bodies = "select body from public.event_messages where event_id = %s order by body"
    assert db.rows(bodies, world.event) == [("A pity",), ("Hello",)]


def test_a_discussion_goes_with_its_event(db: Session, world: World) -> None:
    db.act_as(world.people["owner"])
    db.run("delete from public.events where id = %s", world.event)
    db.act_as_owner()
    assert db.value("select count(*) from public.event_messages where id = %s", world.said) == 0


def test_the_newest_messages_about_an_event_are_found_by_an_index(db: Session, world: World) -> None:
    db.run("set local enable_seqscan = off; set local enable_bitmapscan = off")
    plan = str(
        db.rows(
            "explain select * from public.event_messages where event_id = %s"
            " order by created_at desc, id desc limit 100",
            world.event,
        )
    )
    assert "event_messages_event_id_idx" in plan
    assert "Sort" not in plan
