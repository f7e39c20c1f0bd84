import pytest

from local_supabase.rest.errors import RestError
from local_supabase.rest.query import query_string
from local_supabase.rest.query.caps import MAX_DEPTH, MAX_TERMS
from local_supabase.rest.query.query_string import parse_query


@pytest.mark.parametrize(
    ("raw", "explanation"),
    [
        ("select=" + "a," * 30_000 + "a", "more than 500 terms"),
        ("order=" + "a," * 20_000 + "a", "more than 100 terms"),
        ("&".join(["order=" + "a," * 60 + "a"] * 2), "more than 100 terms"),
        ("films.order=" + "a," * 20_000 + "a", "more than 100 terms"),
        ("columns=" + "a," * 20_000 + "a", "more than 1600 terms"),
        ("on_conflict=" + "a," * 20_000 + "a", "more than 32 terms"),
        ("or=(" + "a.eq.1," * 5000 + "a.eq.1)", "more than 500 terms"),
        ("&".join(["a=eq.1"] * 201), "more than 200 parameters"),
        ("select=" + "a(" * 21 + "b" + ")" * 21, "nested too deeply"),
        ("and=" + "(not.and" * 21 + "(a.eq.1)" + ")" * 21, "nested too deeply"),
        ("select=a" + "->b" * 5000, "more than 500 dashes or escapes"),
        ("select=" + "a-" * 5000 + "a", "more than 500 dashes or escapes"),
        ('select="' + "\\a" * 5000 + '"', "more than 500 dashes or escapes"),
        ("or=(a" + "->b" * 5000 + ".eq.1)", "more than 4000 dashes or escapes"),
        ("a->" * 5000 + "b=eq.1", "more than 500 dashes or escapes"),
        ("a." * 5000 + "b=eq.1", "nested too deeply"),
    ],
)
def test_a_query_beyond_the_caps_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch, raw: str, explanation: str
) -> None:
    for name in ("parse_select", "parse_order", "parse_columns", "parse_logic", "parse_filter"):
        monkeypatch.setattr(query_string, name, pytest.fail)
    with pytest.raises(RestError) as refusal:
        parse_query(raw)
    assert (refusal.value.status, refusal.value.code) == (400, "PGRST100")
    assert refusal.value.headers == ()
    assert explanation in str(refusal.value.body())


def test_a_query_at_the_caps_is_parsed() -> None:
    names = ",".join(["a"] * MAX_TERMS["select"])
    assert len(parse_query(f"select={names}").select) == MAX_TERMS["select"]
    nested = "a(" * MAX_DEPTH + "b" + ")" * MAX_DEPTH
    assert len(parse_query(f"select={nested}").select) == 1


def test_quoted_brackets_and_commas_are_no_terms() -> None:
    text = "(," * 600
    assert len(parse_query(f'or=(a.eq."{text}",b.eq.1)').logic) == 1


@pytest.mark.parametrize("end", ["", "\\"])
def test_a_quote_that_nothing_closes_costs_one_pass(end: str) -> None:
    raw = 'select="' + '\\"' * 1_000_000 + end
    with pytest.raises(RestError) as refusal:
        parse_query(raw)
    assert "more than 500 dashes or escapes" in str(refusal.value.body())


def test_what_follows_a_quote_that_nothing_closes_is_counted() -> None:
    with pytest.raises(RestError) as refusal:
        parse_query('select="' + "a," * 501)
    assert "more than 500 terms" in str(refusal.value.body())
