import pytest

from local_supabase.rest.fuzzy import closest


@pytest.mark.parametrize(
    ("names", "given", "at_least", "expected"),
    [
        (["films", "directors"], "film", 0.33, "films"),
        (["films", "directors"], "noclosealternative", 0.33, None),
        (["test", "another"], "testt", 0.75, "test"),
        (["(name, param, val)", "(attr, id)"], "(nam, pqaram, vall)", 0.33, "(name, param, val)"),
        (["(name, param, val)", "(attr, id)"], "(attrs, id)", 0.33, "(attr, id)"),
        (["(name, param, val)", "(attr, id)"], "(noclosealternative)", 0.33, None),
        (["Films"], "films", 0.9, "Films"),
        ([], "x", 0.33, None),
    ],
)
def test_the_closest_name_is_found_if_its_score_suffices(
    names: list[str], given: str, at_least: float, expected: str | None
) -> None:
    assert closest(names, given, at_least=at_least) == expected
