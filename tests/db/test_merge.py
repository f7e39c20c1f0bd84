"""Merging: whatever two people do to one row, no field is lost without somebody's decision."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from db.merge import Choice, changed, decided, merge

FIELDS = ("title", "location", "capacity")
Row = Mapping[str, object]
rows = st.fixed_dictionaries({field: st.integers(0, 3) for field in FIELDS})


def test_different_fields_go_together() -> None:
    base = {"title": "Quiz", "location": "Bar"}
    merged = merge(base, {**base, "title": "Pub quiz"}, {**base, "location": "Cellar"})
    assert merged.mine == {"title": "Pub quiz"}
    assert not merged.clashes


def test_the_same_field_has_to_be_decided() -> None:
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
def test_every_field_ends_as_somebody_wanted_it(base: Row, mine: Row, theirs: Row) -> None:
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
def test_alone_there_is_nothing_to_decide(base: Row, mine: Row) -> None:
    merged = merge(base, mine, base)
    assert not merged.clashes
    assert merged.mine == changed(base, mine)


@given(rows, rows, rows)
def test_a_clash_is_one_for_both_sides(base: Row, mine: Row, theirs: Row) -> None:
    assert set(merge(base, mine, theirs).clashes) == set(merge(base, theirs, mine).clashes)
