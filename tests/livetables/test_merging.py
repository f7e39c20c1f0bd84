"""Merging: whatever two people change in a row, no value is lost unless a person decides so."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from livetables.merging import Choice, changed, decided, merge

FIELDS = ("title", "location", "capacity")
Row = Mapping[str, object]
rows = st.fixed_dictionaries({field: st.integers(0, 3) for field in FIELDS})


def test_changes_of_different_fields_are_merged() -> None:
    base = {"title": "Quiz", "location": "Bar"}
    merged = merge(base, {**base, "title": "Pub quiz"}, {**base, "location": "Cellar"})
    assert merged.mine == {"title": "Pub quiz"}
    assert not merged.clashes


def test_a_field_that_both_changed_is_for_a_person_to_decide() -> None:
    base = {"title": "Quiz", "location": "Bar"}
    mine, theirs = {**base, "title": "Mine"}, {**base, "title": "Theirs"}
    merged = merge(base, mine, theirs)
    assert merged.clashes == ("title",)
    assert decided(merged, mine, {"title": Choice.MINE}) == {"title": "Mine"}
    assert decided(merged, mine, {"title": Choice.THEIRS}) == {}


def test_the_same_change_made_twice_is_no_clash() -> None:
    base: Row = {"title": "Quiz"}
    merged = merge(base, {"title": "Same"}, {"title": "Same"})
    assert not merged.clashes
    assert not merged.mine


@given(rows, rows, rows)
def test_every_field_gets_the_value_of_the_person_who_changed_it(base: Row, mine: Row, theirs: Row) -> None:
    merged = merge(base, mine, theirs)
    for choice in Choice:
        result = {**theirs, **decided(merged, mine, dict.fromkeys(merged.clashes, choice))}
        for field in FIELDS:
            mine_changed, theirs_changed = mine[field] != base[field], theirs[field] != base[field]
            if (mine_changed and not theirs_changed) or (mine_changed and choice is Choice.MINE):
                assert result[field] == mine[field]
            else:
                assert result[field] == theirs[field]


@given(rows, rows)
def test_without_changes_of_others_there_is_no_clash(base: Row, mine: Row) -> None:
    merged = merge(base, mine, base)
    assert not merged.clashes
    assert merged.mine == changed(base, mine)


@given(rows, rows, rows)
def test_both_people_have_the_same_clashes(base: Row, mine: Row, theirs: Row) -> None:
    assert set(merge(base, mine, theirs).clashes) == set(merge(base, theirs, mine).clashes)
