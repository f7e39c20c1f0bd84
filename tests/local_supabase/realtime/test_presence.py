"""The state of presence and its diffs."""

from hypothesis import given
from hypothesis import strategies as st

from local_supabase.realtime.presence import Presence


def test_the_same_again_is_no_change() -> None:
    presence: Presence[int] = Presence()
    assert presence.track(1, "ada", {"a": 1}) is not None
    assert presence.track(1, "ada", {"a": 1}) is None


def test_who_was_not_there_cannot_leave() -> None:
    assert Presence[int]().untrack(1, "ada") is None


def test_a_key_ends_with_its_last_tracker() -> None:
    presence: Presence[int] = Presence()
    presence.track(1, "ada", {})
    presence.track(2, "ada", {})
    presence.untrack(1, "ada")
    assert list(presence.state()) == ["ada"]
    presence.untrack(2, "ada")
    assert presence.state() == {}
    assert not presence


TRACKS = st.tuples(st.just("track"), st.integers(0, 3), st.sampled_from("ab"), st.integers(0, 2))
UNTRACKS = st.tuples(st.just("untrack"), st.integers(0, 3), st.sampled_from("ab"), st.just(0))


@given(st.lists(TRACKS | UNTRACKS, max_size=30))
def test_diffs_add_up_to_the_state(steps: list[tuple[str, int, str, int]]) -> None:
    presence: Presence[int] = Presence()
    seen: dict[str, dict[str, object]] = {}
    for action, tracker, key, payload in steps:
        if action == "track":
            diff = presence.track(tracker, key, {"n": payload})
        else:
            diff = presence.untrack(tracker, key)
        if diff is None:
            continue
        _apply(seen, diff.leaves, add=False)
        _apply(seen, diff.joins, add=True)
    state = {key: {meta["phx_ref"] for meta in entry["metas"]} for key, entry in presence.state().items()}  # type: ignore[index]  # JSON
    assert state == {key: set(metas) for key, metas in seen.items() if metas}


def _apply(seen: dict[str, dict[str, object]], entries: dict[str, object], *, add: bool) -> None:
    for key, entry in entries.items():
        metas = seen.setdefault(key, {})
        for meta in entry["metas"]:  # type: ignore[index]  # JSON
            if add:
                metas[meta["phx_ref"]] = meta
            else:
                del metas[meta["phx_ref"]]
