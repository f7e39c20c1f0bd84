import pytest

from local_supabase.rest.query.parsec import (
    ParseFailedError,
    Parser,
    attempt,
    char,
    eof,
    literal,
    look_ahead,
    many,
    not_followed_by,
    pure,
    quoted,
    separated,
    seq,
    span,
)

# The expected messages are those of the parsec package for the same rules.
_WORD = span("[a-z]", "letter")


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        (literal("ab"), "abc", "ab"),
        (separated(_WORD, char(",")), "a,b,c", ["a", "b", "c"]),
        (seq(_WORD, char("."), _WORD), "a.b", ("a", ".", "b")),
        (many(char("x")), "", []),
        (_WORD.optional(), "1", None),
        (attempt(literal("and")) | literal("any"), "any", "any"),
        (look_ahead(literal("a")).then(_WORD), "abc", "abc"),
        (_WORD.before(not_followed_by("[0-9]")), "ab!", "ab"),
        (_WORD.between(char("("), char(")")), "(a)", "a"),
        (pure(5), "anything", 5),
    ],
)
def test_a_rule_returns_its_value(parser: Parser[object], text: str, value: object) -> None:
    assert parser.parse(text) == value


@pytest.mark.parametrize(
    ("parser", "text", "place", "explanation"),
    [
        (literal("and"), "any", "(line 1, column 1)", 'unexpected "y" expecting "and"'),
        (literal("and"), "", "(line 1, column 1)", 'unexpected end of input expecting "and"'),
        (literal("and") | literal("any"), "any", "(line 1, column 1)", 'unexpected "y" expecting "and"'),
        (_WORD, "1", "(line 1, column 1)", 'unexpected "1" expecting letter'),
        (_WORD.before(eof), "ab1", "(line 1, column 3)", "unexpected '1' expecting letter or end of input"),
        (_WORD.named("a name"), "1", "(line 1, column 1)", 'unexpected "1" expecting a name'),
        (seq(char("\n"), char("x")), "\ny", "(line 2, column 1)", 'unexpected "y" expecting "x"'),
        (seq(char("\t"), char("x")), "\ty", "(line 1, column 9)", 'unexpected "y" expecting "x"'),
    ],
)
def test_a_failure_has_parsecs_position_and_message(
    parser: Parser[object], text: str, place: str, explanation: str
) -> None:
    with pytest.raises(ParseFailedError) as caught:
        parser.parse(text)
    assert (caught.value.place, caught.value.explanation) == (place, explanation)


def test_a_text_is_shown_as_haskell_shows_it() -> None:
    assert quoted('a"b\\c\n\x01é') == '"a\\"b\\\\c\\n\\1\\233"'
