"""The grammar of PostgREST's query strings.

It follows https://docs.postgrest.org/en/stable/references/api/url_grammar.html; the error messages follow
PostgREST's own parser module.
"""

from __future__ import annotations

from typing import TypeVar

from local_supabase.rest.errors import RestError, bad_query
from local_supabase.rest.memoize import memoized
from local_supabase.rest.query.parsec import (
    ParseFailedError,
    Parser,
    attempt,
    char,
    eof,
    fail_if,
    lazy,
    literal,
    look_ahead,
    many,
    not_followed_by,
    one_of_pattern,
    pure,
    separated,
    seq,
    span,
)
from local_supabase.rest.query.syntax import (
    EmbedPath,
    Field,
    Join,
    JsonStep,
    OrderTerm,
    SelectField,
    SelectItem,
    SelectRelation,
)

T = TypeVar("T")

blank = span(r"[ \t]", at_least=0)
delimiter = char(".").named("delimiter (.)")
quoted_value = (
    many(span(r'[^\\"]') | char("\\").then(one_of_pattern(r"."))).map("".join).between(char('"'), char('"'))
)
identifier = span(r"[^\W_]|[_ $]", "letter", "digit").map(lambda name: name.strip(" \t"))


def lexeme(parser: Parser[T]) -> Parser[T]:
    """Allow blanks before and after a rule."""
    return parser.between(blank, blank)


def _dashed(parser: Parser[str]) -> Parser[str]:
    # A dash is part of a name unless it starts an arrow.
    dash = attempt(char("-").before(not_followed_by(">")))
    return separated(parser, dash).map("-".join)


field_name = (quoted_value | _dashed(identifier)).named("field name (* or [a..z0..9_$])")
_json_key = (quoted_value | _dashed(span(r"[^(\-:.,>)]").map(str.strip))).named(
    "any non reserved character different from: .,>()"
)


def _ends_here(*words: str) -> Parser[str | None]:
    ends: Parser[str | None] = attempt(look_ahead(literal(words[0])))
    for word in words[1:]:
        ends = ends | attempt(look_ahead(literal(word)))
    return ends | attempt(eof)


_index = (
    seq(char("-") | pure(""), span(r"[0-9]", "digit"))
    .before(_ends_here("->", "::", ".", ","))
    .map(lambda signed: int(signed[0] + signed[1][:20]))
)
_arrow = attempt(literal("->>").then(pure(True))) | attempt(literal("->").then(pure(False)))
_operand: Parser[int | str] = attempt(_index) | attempt(_json_key)
json_path = many(seq(_arrow, _operand).map(lambda step: JsonStep(step[1], step[0]))).map(tuple)
field = lexeme(seq(field_name, json_path).map(lambda found: Field(found[0], found[1])))

_alias = attempt(field_name.before(char(":").before(not_followed_by(":")))).optional()
_embed_parameter: Parser[Join | str] = char("!").then(
    attempt(literal("left").then(pure(Join.LEFT)))
    | attempt(literal("inner").then(pure(Join.INNER)))
    | attempt(field_name)
)
_embed_parameters = seq(_embed_parameter.optional(), _embed_parameter.optional())
_opens = attempt(look_ahead(literal("(")))


def _relation(
    name: str, alias: str | None, parameters: tuple[Join | str | None, ...], spread: bool
) -> SelectRelation:
    hints = [p for p in parameters if p is not None and not isinstance(p, Join)]
    joins = [p for p in parameters if isinstance(p, Join)]
    return SelectRelation(name, (), alias, hints[0] if hints else None, joins[0] if joins else None, spread)


_relation_head = lexeme(
    seq(_alias, fail_if(field_name, lambda name: name == "count"), _embed_parameters, _opens).map(
        lambda found: _relation(found[1], found[0], found[2], False)
    )
)
_spread_head = lexeme(
    seq(literal("...").then(field_name), _embed_parameters, _opens).map(
        lambda found: _relation(found[0], None, found[1], True)
    )
)
_field_end = _ends_here(")", ",")
_cast = literal("::").then(identifier).optional()
_aggregate: Parser[str] = attempt(literal("max")) | attempt(literal("min"))
_aggregate = literal("sum") | literal("avg") | literal("count") | _aggregate
_star_item = attempt(char("*").before(_field_end)).map(lambda _: SelectField(Field("*")))
_count_item = attempt(
    seq(_alias, literal("count()"), _cast, _field_end).map(
        lambda found: SelectField(Field("*"), found[0], None, "count", found[2])
    )
)
_plain_item = seq(
    _alias,
    field,
    _cast,
    attempt(char(".").then(_aggregate).before(literal("()"))).optional(),
    _cast.before(_field_end),
).map(lambda found: SelectField(found[1], found[0], found[2], found[3], found[4]))
_select_field = lexeme(_star_item | _count_item | _plain_item)


def _with_items(found: tuple[SelectRelation, tuple[SelectItem, ...]]) -> SelectRelation:
    head, items = found
    return SelectRelation(head.name, items, head.alias, head.hint, head.join, head.spread)


def _select_items() -> Parser[tuple[SelectItem, ...]]:
    return _items


_inside = lazy(_select_items).between(char("("), char(")"))
_select_item: Parser[SelectItem] = (
    seq(attempt(_spread_head), _inside).map(_with_items)
    | seq(attempt(_relation_head), _inside).map(_with_items)
    | _select_field
)
_items: Parser[tuple[SelectItem, ...]] = separated(_select_item, lexeme(char(","))).map(tuple) | pure(())

tree_path = seq(separated(field_name, delimiter), json_path)
_names = separated(field_name, lexeme(char(",")))

_direction = attempt(delimiter.then(literal("asc").then(pure(False)))) | attempt(
    delimiter.then(literal("desc").then(pure(True)))
)
_nulls = attempt(delimiter.then(literal("nullsfirst").then(pure(True)))) | attempt(
    delimiter.then(literal("nullslast").then(pure(False)))
)
_term_end = attempt(look_ahead(char(","))) | attempt(eof)
_nulls_and_end = _nulls.optional().before(_term_end) | _term_end.then(pure(None))
_order_related = seq(
    field_name, field.between(char("("), char(")")), _direction.optional(), _nulls_and_end
).map(lambda found: OrderTerm(found[1], found[0], found[2], found[3]))
_order_plain = seq(field, _direction.optional(), _nulls_and_end).map(
    lambda found: OrderTerm(found[0], None, found[1], found[2])
)
_order = separated(lexeme(attempt(_order_related) | _order_plain), char(",")).map(tuple)


def run(parser: Parser[T], text: str, purpose: str, *, shown: str | None = None) -> T:
    """Parse a part of the query string.

    Arguments:
        parser: the rule.
        text: the text to parse.
        purpose: what the text is, for the error message.
        shown: what the caller sent, for the error message; by default the text.

    Raises:
        RestError: PGRST100, the text does not follow the rule or is nested too deeply.
    """
    try:
        return parser.parse(text)
    except ParseFailedError as error:
        source = text if shown is None else shown
        raise bad_query(f'"failed to parse {purpose} ({source})" {error.place}', error.explanation) from None
    except RecursionError:
        raise too_deep(purpose) from None


def too_deep(purpose: str) -> RestError:
    """PGRST100: a query string that is nested too deeply."""
    return bad_query(f'"failed to parse {purpose}"', "nested too deeply")


@memoized(1024)
def parse_select(text: str) -> tuple[SelectItem, ...]:
    """Parse the value of `select`.

    Raises:
        RestError: PGRST100.
    """
    return run(_items, text, "select parameter")


@memoized(1024)
def parse_order(text: str) -> tuple[OrderTerm, ...]:
    """Parse the value of `order`.

    Raises:
        RestError: PGRST100.
    """
    return run(_order, text, "order")


@memoized(1024)
def parse_columns(text: str, parameter: str) -> tuple[str, ...]:
    """Parse a list of column names, as in `columns` and `on_conflict`.

    Raises:
        RestError: PGRST100.
    """
    names = run(_names, text, f"{parameter} parameter")
    return tuple(names)


@memoized(4096)
def parse_key(key: str) -> tuple[EmbedPath, Field]:
    """Parse the name of a filter, order or range parameter: `a.b.name->x` is the field name->x of a.b.

    Raises:
        RestError: PGRST100.
    """
    names, path = run(tree_path, key, "tree path")
    return tuple(names[:-1]), Field(names[-1], path)
