"""The check of an event's form, and the form itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from db.hub.events import EventDraft
from tests.ui.samples import event, user
from ui.base import session
from ui.base.region import Region
from ui.events.form import Filled, checked, draft_like
from ui.events.when import WallTime

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BERLIN = EventDraft(
    title="Quiz night",
    description="",
    starts_at=datetime(2026, 12, 4, 18, tzinfo=UTC),
    ends_at=datetime(2026, 12, 4, 21, tzinfo=UTC),
    time_zone="Europe/Berlin",
    location="",
    capacity=None,
)
FILLED = Filled(
    title="  Quiz \n night ",
    description=" Bring a pen. ",
    starts=WallTime(datetime(2026, 12, 4, 19)),
    ends=WallTime(datetime(2026, 12, 4, 22)),
    time_zone="Europe/Berlin",
    location=" The  bar ",
    capacity=" ",
)


def draft_of(filled: Filled, initial: EventDraft = BERLIN) -> EventDraft:
    """Return the draft, which has no problem."""
    draft = checked(filled, initial, NOW)
    assert isinstance(draft, EventDraft), draft
    return draft


def test_wall_clock_times_get_their_zone_and_texts_are_trimmed() -> None:
    draft = draft_of(FILLED)
    assert draft.starts_at == datetime(2026, 12, 4, 18, tzinfo=UTC)
    assert (draft.title, draft.description, draft.location) == ("Quiz night", "Bring a pen.", "The bar")


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"title": " "}, "title", "title"),
        ({"starts": WallTime(None)}, "starts_at", "a date and a time"),
        ({"ends": WallTime(None)}, "ends_at", "a date and a time"),
        ({"ends": WallTime(datetime(2026, 12, 4, 18))}, "ends_at", "ends before it starts"),
        ({"starts": WallTime(datetime(2026, 3, 29, 2, 30))}, "starts_at", "skip this time"),
        ({"starts": WallTime(datetime(2026, 10, 25, 2, 30))}, "starts_at", "this time twice"),
        ({"starts": WallTime(datetime(2020, 1, 3, 19))}, "past", "6 years ago"),
        *(({"capacity": text}, "capacity", "whole number between 1 and 100,000") for text in
          ("0", "-5", "100001", "1.5", "1,5", "1e3", "many", "9" * 5000)),
    ],
)  # fmt: skip
def test_a_problem_is_a_sentence_at_its_field(change: dict[str, object], field: str, problem: str) -> None:
    found = checked(replace(FILLED, **change), BERLIN, NOW)  # type: ignore[arg-type]  # fields by name
    assert not isinstance(found, EventDraft)
    assert set(found) == {field}
    assert problem in found[field]


def test_all_problems_are_named_at_once() -> None:
    wrong = replace(FILLED, title="", starts=WallTime(None), capacity="0")
    assert checked(wrong, BERLIN, NOW).keys() == {"title", "starts_at", "capacity"}  # type: ignore[union-attr]


@pytest.mark.parametrize(("text", "capacity"), [("", None), (" 1 ", 1), ("100000", 100_000)])
def test_a_capacity_is_a_number_or_none(text: str, capacity: int | None) -> None:
    assert draft_of(replace(FILLED, capacity=text)).capacity == capacity


def test_a_start_in_the_past_is_taken_when_it_is_meant() -> None:
    past = replace(FILLED, starts=WallTime(datetime(2020, 1, 3, 19)), past_is_meant=True)
    assert draft_of(past).starts_at == datetime(2020, 1, 3, 18, tzinfo=UTC)


def test_an_event_under_way_or_one_that_was_in_the_past_before_is_not_questioned() -> None:
    under_way = replace(FILLED, starts=WallTime(datetime(2026, 12, 1, 12, 30)))
    assert draft_of(under_way).starts_at == NOW - timedelta(minutes=30)
    long_ago = replace(BERLIN, starts_at=datetime(2020, 1, 3, 18, tzinfo=UTC))
    same = replace(FILLED, starts=WallTime(datetime(2020, 1, 3, 19)))
    assert draft_of(same, long_ago).starts_at == long_ago.starts_at


# ---------------------------------------------------------------- when the clocks are put back

# Each zone with the first moment of the time that its clocks show twice.
REPEATED = [
    ("America/New_York", datetime(2027, 11, 7, 5, tzinfo=UTC), timedelta(hours=1)),
    ("Europe/Berlin", datetime(2027, 10, 31, 0, tzinfo=UTC), timedelta(hours=1)),
    ("Australia/Lord_Howe", datetime(2027, 4, 3, 14, 30, tzinfo=UTC), timedelta(minutes=30)),
    ("Antarctica/Troll", datetime(2027, 10, 30, 23, tzinfo=UTC), timedelta(hours=2)),
    ("America/Caracas", datetime(2007, 12, 9, 6, 30, tzinfo=UTC), timedelta(minutes=30)),
    ("Africa/Casablanca", datetime(2027, 2, 7, 1, tzinfo=UTC), timedelta(hours=1)),
]


def _form() -> None:
    import streamlit as st

    from db.hub.events import EventDraft
    from ui.events import form

    with st.form("form"):
        draft = form.fields("edit", st.session_state["initial"], st.session_state.get("options", {}))
        st.form_submit_button("Save", on_click=form.show_problems, args=("edit",))
    st.session_state["draft"] = draft
    assert isinstance(draft, EventDraft) or draft


def shown(initial: EventDraft) -> AppTest:
    """Return the form as it is shown for this event."""
    app = AppTest.from_function(_form, default_timeout=120)
    app.session_state["initial"] = initial
    app.run()
    assert not app.exception
    return app


def fill(app: AppTest, number: int, local: datetime) -> None:
    """Fill in the start (0) or the end (1)."""
    app.date_input[number].set_value(local.date())
    app.time_input[number].set_value(local.time())


def save(app: AppTest) -> object:
    """Send the form, and return the draft or the problems."""
    app.button[0].click().run()
    assert not app.exception
    return app.session_state["draft"]


def moments(draft: object) -> tuple[datetime, datetime]:
    """Return start and end of a draft."""
    assert isinstance(draft, EventDraft), draft
    return draft.starts_at, draft.ends_at


@pytest.mark.parametrize(("zone", "first", "back"), REPEATED)
@pytest.mark.parametrize("fold", [0, 1])
def test_each_of_two_times_can_be_meant(zone: str, first: datetime, back: timedelta, fold: int) -> None:
    starts = first + timedelta(minutes=7, seconds=41, microseconds=123) + fold * back
    event = replace(BERLIN, time_zone=zone, starts_at=starts, ends_at=starts + timedelta(days=1))
    wall = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments(event)]
    wall = [local.replace(second=0, microsecond=0, fold=0) for local in wall]
    filled = replace(FILLED, time_zone=zone, starts=WallTime(wall[0], fold), ends=WallTime(wall[1]))
    assert moments(draft_of(filled, event)) == moments(event)
    other = replace(filled, starts=WallTime(wall[0], 1 - fold), past_is_meant=True)
    assert draft_of(other, event).starts_at == starts + (back if fold == 0 else -back)


@pytest.mark.parametrize(("zone", "first", "back"), REPEATED[:1])
@pytest.mark.parametrize("second", [False, True])
def test_editing_the_description_leaves_a_repeated_hour_alone(
    zone: str, first: datetime, back: timedelta, second: bool
) -> None:
    starts = first + timedelta(minutes=7, seconds=41, microseconds=123) + (back if second else timedelta())
    ends = starts + timedelta(days=1, seconds=13)
    event = replace(BERLIN, time_zone=zone, starts_at=starts, ends_at=ends)
    app = shown(event)
    app.text_area[0].set_value("A new description")
    draft = save(app)
    assert moments(draft) == (starts, ends)
    assert isinstance(draft, EventDraft)
    assert draft.values() == {**event.values(), "description": "A new description"}


@pytest.mark.parametrize(("zone", "first", "back"), REPEATED[:3:2])
def test_an_event_from_the_first_to_the_second_can_be_entered(
    zone: str, first: datetime, back: timedelta
) -> None:
    app = shown(replace(BERLIN, time_zone=zone, starts_at=first - timedelta(days=1), ends_at=first))
    starts, ends = first + back - timedelta(minutes=10), first + back + timedelta(minutes=10)
    wall = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) for moment in (starts, ends)]
    fill(app, 0, wall[0])
    fill(app, 1, wall[1])
    asked = save(app)
    assert isinstance(asked, dict)
    assert "twice" in asked["starts_at"]
    assert "twice" in asked["ends_at"]
    app.radio[0].set_value(0)
    app.radio[1].set_value(1)
    assert moments(save(app)) == (starts, ends)


def test_the_two_times_have_names() -> None:
    event = replace(
        BERLIN,
        time_zone="America/New_York",
        starts_at=datetime(2027, 11, 7, 5, 45, tzinfo=UTC),
        ends_at=datetime(2027, 11, 7, 6, 15, tzinfo=UTC),
    )
    app = shown(event)
    assert [radio.label for radio in app.radio] == ["Which 01:45?", "Which 01:15?"]
    assert [radio.value for radio in app.radio] == [0, 1]
    assert app.radio[0].options == [
        "Before the clocks go back (EDT, UTC−04:00)",
        "After the clocks go back (EST, UTC−05:00)",
    ]


def test_seconds_stay_while_only_the_zone_or_the_other_time_changes() -> None:
    event = replace(
        BERLIN,
        starts_at=datetime(2026, 12, 4, 18, 0, 30, tzinfo=UTC),
        ends_at=datetime(2026, 12, 4, 21, 0, 59, tzinfo=UTC),
    )
    app = shown(event)
    fill(app, 1, datetime(2026, 12, 4, 23, 0))
    assert moments(save(app)) == (event.starts_at, datetime(2026, 12, 4, 22, tzinfo=UTC))
    app.selectbox[0].set_value("Europe/London")
    assert moments(save(app)) == (
        event.starts_at + timedelta(hours=1),
        datetime(2026, 12, 4, 23, tzinfo=UTC),
    )


def test_problems_are_shown_at_their_fields_once_the_form_was_sent() -> None:
    app = shown(replace(BERLIN, title=""))
    assert not app.get("html")
    app.text_input[2].set_value("1.5")
    save(app)
    texts = [element.proto.body for element in app.get("html")]
    assert len(texts) == 2
    assert "give the event a title" in texts[0]
    assert "whole number" in texts[1]


def test_a_start_in_the_past_is_asked_for() -> None:
    app = shown(BERLIN)
    fill(app, 0, datetime(2020, 1, 3, 19))
    assert not isinstance(save(app), EventDraft)
    app.checkbox[0].check()
    assert moments(save(app))[0] == datetime(2020, 1, 3, 18, tzinfo=UTC)
    fill(app, 0, datetime(2019, 1, 3, 19))
    assert not isinstance(save(app), EventDraft)
    assert not app.checkbox[0].value


def test_the_zones_begin_with_the_viewers_own() -> None:
    app = shown(BERLIN)
    zones = app.selectbox[0].options
    assert zones[0] == "UTC"  # the viewer's, in this test
    assert app.selectbox[0].value == "Europe/Berlin"
    assert "times in Europe/Berlin" in app.caption[0].value.replace("\\", "")


@pytest.mark.parametrize(
    ("language", "form"), [("en-US", "12h"), ("de-DE", "24h"), ("en-US-u-hc-h23", "24h")]
)
def test_times_are_entered_on_the_viewers_clock(
    monkeypatch: pytest.MonkeyPatch, language: str, form: str
) -> None:
    monkeypatch.setattr(session, "region", lambda: Region.of(ZoneInfo("Europe/Berlin"), language))
    app = shown(BERLIN)
    assert [field.proto.format for field in app.time_input] == [form, form]
    assert [str(field.value) for field in app.time_input] == ["19:00:00", "22:00:00"]


def test_no_form_is_sent_with_half_a_time() -> None:
    app = shown(BERLIN)
    assert all(field.proto.required for field in (*app.date_input, *app.time_input))


@pytest.mark.parametrize(("kept", "value"), [("18:05:00", "18:05:00"), ("", "19:00:00"), ("x", "19:00:00")])
def test_the_time_of_a_draft_is_shown_again(kept: str, value: str) -> None:
    app = AppTest.from_function(_form, default_timeout=120)
    app.session_state["initial"] = BERLIN
    app.session_state["options"] = {"_starts_time": kept}
    app.run()
    assert [str(field.value) for field in app.time_input] == [value, "22:00:00"]


@pytest.mark.parametrize(
    ("starts", "now", "copied"),
    [
        # From the future: a week later, at the same time of day, over the change of the clocks.
        ("2026-10-20T19:00", "2026-10-01T12:00", "2026-10-27T19:00"),
        # From the past: on the next such weekday.
        ("2026-10-06T19:00", "2026-11-03T18:59", "2026-11-03T19:00"),
        ("2026-10-06T19:00", "2026-11-03T19:00", "2026-11-10T19:00"),
        # At a time that the clocks skip on that day.
        ("2026-03-22T02:30", "2026-03-22T02:30", "2026-03-29T03:30"),
        # The clocks show the time twice: the first of them.
        ("2026-10-18T02:30", "2026-10-18T02:30", "2026-10-25T02:30"),
    ],
)
def test_a_copy_is_on_the_next_such_weekday(starts: str, now: str, copied: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin, moment = (
        datetime.fromisoformat(each).replace(tzinfo=zone).astimezone(UTC) for each in (starts, now)
    )
    original = event(
        "Quiz",
        user("Ann"),
        starts_at=begin,
        ends_at=begin + timedelta(hours=3),
        time_zone=zone.key,
        capacity=7,
    )
    draft = draft_like(original, moment)
    assert draft.starts_at.replace(tzinfo=None).isoformat(timespec="minutes") == copied
    assert draft.ends_at.astimezone(UTC) - draft.starts_at.astimezone(UTC) == timedelta(hours=3)
    assert (draft.title, draft.capacity, draft.time_zone) == ("Quiz", 7, zone.key)
