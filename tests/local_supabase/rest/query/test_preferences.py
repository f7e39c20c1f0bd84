import pytest

from local_supabase.rest.query.preferences import (
    Count,
    Handling,
    Missing,
    Preferences,
    Resolution,
    Return,
    parse_preferences,
)


def _read(*headers: str) -> Preferences:
    return parse_preferences(headers, lambda name: name == "Europe/Berlin")


def test_one_header_may_have_every_preference() -> None:
    found = _read(
        "return=representation,count=exact, resolution=merge-duplicates,missing=default,"
        "handling=strict,max-affected=5,timezone=Europe/Berlin"
    )
    assert found == Preferences(
        Resolution.MERGE,
        Return.REPRESENTATION,
        Count.EXACT,
        Missing.DEFAULT,
        Handling.STRICT,
        "Europe/Berlin",
        5,
    )


def test_the_first_value_of_a_preference_applies_across_headers() -> None:
    assert (
        _read("resolution=ignore-duplicates", "resolution=merge-duplicates").resolution is Resolution.IGNORE
    )


@pytest.mark.parametrize("unknown", ["anything", "return=nothing", "timezone=Mars/Base", "count=EXACT"])
def test_unknown_preferences_are_listed(unknown: str) -> None:
    assert _read(f"{unknown}, count=exact").invalid == (unknown,)


def test_tx_is_a_known_preference_without_effect() -> None:
    assert _read("tx=rollback") == Preferences()


@pytest.mark.parametrize("text", ["max-affected=x", "max-affected=-1", "max-affected=99999999999999999999"])
def test_a_max_affected_that_is_no_number_is_ignored(text: str) -> None:
    assert _read(text) == Preferences()


def test_only_applied_preferences_are_reported() -> None:
    found = _read("return=minimal,count=planned,resolution=merge-duplicates,handling=strict,max-affected=3")
    assert found.applied() == "count=planned, handling=strict"
    assert found.applied(resolution=True, returns=True, max_affected=True) == (
        "resolution=merge-duplicates, return=minimal, count=planned, handling=strict, max-affected=3"
    )
