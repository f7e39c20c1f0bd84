from local_supabase.rest.memoize import memoized


def test_a_result_is_computed_once() -> None:
    calls: list[str] = []

    @memoized(10)
    def length(text: str) -> int:
        calls.append(text)
        return len(text)

    assert [length("ab"), length("ab"), length("abc")] == [2, 2, 3]
    assert calls == ["ab", "abc"]


def test_the_least_recently_used_result_is_dropped() -> None:
    calls: list[str] = []

    @memoized(2)
    def length(text: str) -> int:
        calls.append(text)
        return len(text)

    for text in ("a", "bb", "a", "ccc", "bb"):
        assert length(text) == len(text)
    assert calls == ["a", "bb", "ccc", "bb"]


def test_the_results_of_long_texts_are_not_kept() -> None:
    calls: list[int] = []

    @memoized(10)
    def length(text: str | None) -> int:
        calls.append(len(text or ""))
        return len(text or "")

    long = "x" * 2001
    assert [length(long), length(long), length(None), length(None)] == [2001, 2001, 0, 0]
    assert calls == [2001, 2001, 0]
