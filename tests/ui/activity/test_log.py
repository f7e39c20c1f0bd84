"""The change log as a list, and its pages."""

from dataclasses import replace
from datetime import timedelta

from tests.ui.samples import BERLIN, NOW, TODAY, logged, snapshot, user
from ui.activity import log
from ui.activity.fields import Reader
from ui.base.people import finder

ANN = user("Ann")
READER = Reader(BERLIN, TODAY, finder(snapshot([ANN])), {})


def test_an_entry_is_a_sentence_with_its_time_that_unfolds_its_fields() -> None:
    html = log.list_html([logged("UPDATE", "events", ANN, {"title": "A"}, {"title": "B"})], READER)
    for words in ("19:30:00", "changed the event", "<details><summary>", "<del>A</del> → <ins>B</ins>"):
        assert words in html


def test_without_fields_there_is_nothing_to_unfold() -> None:
    html = log.list_html([logged("INSERT", "private_messages", ANN, None, None)], READER)
    assert "sent a private message" in html
    assert "<details>" not in html


def test_each_day_has_a_heading() -> None:
    entry = logged("INSERT", "private_messages", ANN, None, None)
    html = log.list_html([entry, entry, replace(entry, changed_at=NOW - timedelta(days=1))], READER)
    assert html.count('class="tv-day"') == 2
    assert html.count("<li ") == 3


def test_newest_first_and_filtered() -> None:
    entries = [
        logged("INSERT", "events", ANN, None, {"title": "A"}, number=1),
        logged("INSERT", "rsvps", ANN, None, {"status": "going"}, number=2),
        logged("INSERT", "events", None, None, {"title": "B"}, number=3),
    ]
    ordered = log.newest_first(snapshot(entries))
    assert [entry.id for entry in ordered] == [3, 2, 1]
    assert [entry.id for entry in log.chosen(ordered, "events", None)] == [3, 1]
    assert [entry.id for entry in log.chosen(ordered, None, ANN.id)] == [2, 1]


def test_a_page_follows_the_last_entry_of_the_one_before_whatever_happens_meanwhile() -> None:
    entries = [logged("INSERT", "events", ANN, None, None, number=number) for number in range(60, 0, -1)]
    first = log.page_after(entries, None)
    assert ([each.id for each in first.entries], first.first, first.more) == ([*range(60, 35, -1)], 1, True)
    later = [logged("INSERT", "events", ANN, None, None, number=61), *entries]
    second = log.page_after(later, first.entries[-1].id)
    assert [each.id for each in second.entries] == [*range(35, 10, -1)]
    third = log.page_after(later, second.entries[-1].id)
    assert ([each.id for each in third.entries], third.first, third.more) == ([*range(10, 0, -1)], 52, False)
