import pytest

from local_supabase.rest.errors import RestError
from local_supabase.rest.query.grammar import (
    parse_columns,
    parse_key,
    parse_order,
    parse_select,
)
from local_supabase.rest.query.syntax import (
    Field,
    Join,
    JsonStep,
    OrderTerm,
    SelectField,
    SelectRelation,
)


def _column(name: str, *steps: JsonStep) -> SelectField:
    return SelectField(Field(name, steps))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("id", (_column("id"),)),
        ("", ()),
        (" id , name ", (_column("id"), _column("name"))),
        ("first name,dashed-name", (_column("first name"), _column("dashed-name"))),
        ('"a,b",":"', (_column("a,b"), _column(":"))),
        (r'"say \"hi\""', (_column('say "hi"'),)),
        ("alias:id::text", (SelectField(Field("id"), "alias", "text"),)),
        ("data->a->>b", (_column("data", JsonStep("a", as_text=False), JsonStep("b", as_text=True)),)),
        ("data->0->>-1", (_column("data", JsonStep(0, as_text=False), JsonStep(-1, as_text=True)),)),
        ("data->78xy", (_column("data", JsonStep("78xy", as_text=False)),)),
        ("data->!@#$%^&*_a", (_column("data", JsonStep("!@#$%^&*_a", as_text=False)),)),
        ("count()", (SelectField(Field("*"), None, None, "count"),)),
        ("n:amount.sum()::text", (SelectField(Field("amount"), "n", None, "sum", "text"),)),
        ("rel(*)", (SelectRelation("rel", (_column("*"),)),)),
        ("a:rel!hint(id)", (SelectRelation("rel", (_column("id"),), "a", "hint"),)),
        ("rel!inner(id)", (SelectRelation("rel", (_column("id"),), None, None, Join.INNER),)),
        ("rel!inner!hint()", (SelectRelation("rel", (), None, "hint", Join.INNER),)),
        ("rel!hint!left()", (SelectRelation("rel", (), None, "hint", Join.LEFT),)),
        ("...rel!hint(id)", (SelectRelation("rel", (_column("id"),), None, "hint", None, True),)),
        ("a(b(c))", (SelectRelation("a", (SelectRelation("b", (_column("c"),)),)),)),
    ],
)
def test_select_is_parsed_into_a_tree(text: str, items: tuple[object, ...]) -> None:
    assert parse_select(text) == items


@pytest.mark.parametrize(
    ("text", "column", "details"),
    [
        (
            "id,clients(name[])",
            16,
            'unexpected \'[\' expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input',
        ),
        ("data->>-78xy", 11, 'unexpected \'x\' expecting digit, "->", "::", ".", "," or end of input'),
        (
            "name!hint",
            5,
            'unexpected \'!\' expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input',
        ),
        ("name::", 7, "unexpected end of input expecting letter or digit"),
    ],
)
def test_a_bad_select_gets_parsecs_message(text: str, column: int, details: str) -> None:
    with pytest.raises(RestError) as caught:
        parse_select(text)
    assert caught.value.code == "PGRST100"
    assert caught.value.message == f'"failed to parse select parameter ({text})" (line 1, column {column})'
    assert caught.value.details == details


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("id", (OrderTerm(Field("id")),)),
        ("id.desc,name.asc", (OrderTerm(Field("id"), None, True), OrderTerm(Field("name"), None, False))),
        ("id.nullsfirst", (OrderTerm(Field("id"), None, None, True),)),
        ("id.desc.nullslast", (OrderTerm(Field("id"), None, True, False),)),
        ("clients(name).desc", (OrderTerm(Field("name"), "clients", True),)),
        ("data->0.desc", (OrderTerm(Field("data", (JsonStep(0, as_text=False),)), None, True),)),
    ],
)
def test_order_is_parsed_term_by_term(text: str, terms: tuple[OrderTerm, ...]) -> None:
    assert parse_order(text) == terms


@pytest.mark.parametrize(
    ("text", "column", "details"),
    [
        (
            "clients(name,id)",
            8,
            'unexpected \'(\' expecting letter, digit, "-", "->>", "->", delimiter (.), "," or end of input',
        ),
        ("id.ac", 4, 'unexpected "c" expecting "asc", "desc", "nullsfirst" or "nullslast"'),
        ("id.descc", 8, "unexpected 'c' expecting delimiter (.), \",\" or end of input"),
        ("id.nulsfist", 4, 'unexpected "n" expecting "asc", "desc", "nullsfirst" or "nullslast"'),
        ("id.nullslasttt", 13, "unexpected 't' expecting \",\" or end of input"),
        ("id.smth34", 4, 'unexpected "s" expecting "asc", "desc", "nullsfirst" or "nullslast"'),
        ("id.asc.nlsfst", 8, 'unexpected "l" expecting "nullsfirst" or "nullslast"'),
        ("id.asc.nullslasttt", 17, "unexpected 't' expecting \",\" or end of input"),
    ],
)
def test_a_bad_order_reports_the_position_and_what_was_expected(text: str, column: int, details: str) -> None:
    with pytest.raises(RestError) as caught:
        parse_order(text)
    assert caught.value.message == f'"failed to parse order ({text})" (line 1, column {column})'
    assert caught.value.details == details


def test_column_lists_may_quote_their_names() -> None:
    assert parse_columns('a,"b c" , d', "columns") == ("a", "b c", "d")


def test_the_name_of_a_parameter_contains_the_path_of_its_resource() -> None:
    assert parse_key("a.b.data->x") == (("a", "b"), Field("data", (JsonStep("x", as_text=False),)))
    assert parse_key('"with.dot"') == ((), Field("with.dot"))


def test_deep_nesting_is_a_bad_query_not_a_crash() -> None:
    with pytest.raises(RestError, match="PGRST100"):
        parse_select("a(" * 5000 + ")" * 5000)
