"""The grammar of conditions: `id=eq.5`, `or=(id.eq.5,not.and(...))`."""

from __future__ import annotations

import re
from typing import Final

from local_supabase.rest.memoize import memoized
from local_supabase.rest.query.grammar import (
    delimiter,
    field,
    field_name,
    identifier,
    lexeme,
    parse_key,
    quoted_value,
    run,
)
from local_supabase.rest.query.parsec import (
    Parser,
    attempt,
    char,
    lazy,
    literal,
    not_followed_by,
    pure,
    separated,
    seq,
    span,
)
from local_supabase.rest.query.syntax import (
    Compare,
    Condition,
    Distinct,
    EmbedPath,
    Filter,
    FullText,
    In,
    Is,
    IsValue,
    Logic,
    Operation,
    Quantifier,
)

_SIMPLE: Final = ("neq", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj")
_QUANTIFIED: Final = ("eq", "gte", "gt", "lte", "lt", "like", "ilike", "match", "imatch")
_FULL_TEXT: Final = ("fts", "plfts", "phfts", "wfts")
_COMMON: Final = re.compile(r"(not\.)?(neq|eq|gte|gt|lte|lt|like|ilike|cs|cd|ov)\.(.*)", re.DOTALL)

# The grammar needs long for lists of thousands of values. Those without quotes need only be split.
_PLAIN_LIST: Final = re.compile(r'(not\.)?in\.\([ \t]*([^()"\\]*)\)', re.DOTALL)


def _choice(words: tuple[str, ...]) -> Parser[str]:
    parser = attempt(literal(words[0]))
    for word in words[1:]:
        parser = parser | attempt(literal(word))
    return parser


def _any_case(word: str) -> Parser[str]:
    letters = [char(c) | char(c.upper()) for c in word]
    return seq(*letters).map(lambda _: word)


def _is_values() -> Parser[Operation]:
    values = list(IsValue)
    parser: Parser[IsValue] = attempt(_any_case(values[0]).then(pure(values[0])))
    for value in values[1:]:
        parser = parser | attempt(_any_case(value).then(pure(value)))
    return parser.named("isVal: (null, not_null, true, false, unknown)").map(Is)


_unquoted = span(r"[^,)]", at_least=0)
_list_element = attempt(quoted_value.before(not_followed_by(r"[^,)]"))) | _unquoted
_list = separated(_list_element, char(",")).map(tuple).between(lexeme(char("(")), lexeme(char(")")))
_quantifier = attempt(
    (attempt(literal("any").then(pure(Quantifier.ANY))) | literal("all").then(pure(Quantifier.ALL))).between(
        char("("), char(")")
    )
).optional()
_language = attempt(identifier.between(char("("), char(")"))).optional()


def _condition(value: Parser[str]) -> Parser[tuple[bool, Operation]]:
    within: Parser[Operation] = attempt(literal("in").then(delimiter)).then(_list).map(In)
    is_value = attempt(literal("is").then(delimiter)).then(_is_values())
    distinct: Parser[Operation] = attempt(literal("isdistinct").then(delimiter)).then(value).map(Distinct)
    full_text: Parser[Operation] = seq(_choice(_FULL_TEXT), _language.before(delimiter), value).map(
        lambda found: FullText(found[0], found[1], found[2])
    )
    simple: Parser[Operation] = seq(
        _choice(_SIMPLE).named("unknown single value operator").before(delimiter), value
    ).map(lambda found: Compare(found[0], found[1]))
    quantified: Parser[Operation] = seq(
        _choice(_QUANTIFIED).named("unknown single value operator"), _quantifier.before(delimiter), value
    ).map(lambda found: Compare(found[0], found[2], found[1]))
    operation = within | is_value | distinct | attempt(full_text) | attempt(simple) | attempt(quantified)
    negation = attempt(literal("not").then(delimiter).then(pure(True))) | pure(False)
    return seq(negation, operation.named("operator (eq, gt, ...)"))


_array = seq(literal("{"), span(r"[^{}]", at_least=0), literal("}")).map("".join)
_logic_value = attempt(quoted_value.before(not_followed_by(r"[^,)]"))) | attempt(_array) | _unquoted
_whole_value = span(r".", at_least=0)
_root_condition = _condition(_whole_value)

_logic_filter: Parser[Condition] = seq(field.before(delimiter), _condition(_logic_value)).map(
    lambda found: Filter(found[0], found[1][1], found[1][0])
)
_logic_not = (attempt(literal("not").then(delimiter).then(pure(True))) | pure(False)).named(
    "negation operator (not)"
)
_logic_operator = (attempt(literal("and").then(pure(True))) | literal("or").then(pure(False))).named(
    "logic operator (and, or)"
)


def _tree() -> Parser[Condition]:
    return _logic_tree


_branches = separated(lazy(_tree), lexeme(char(","))).between(lexeme(char("(")), lexeme(char(")")))
_logic_expression: Parser[Condition] = seq(_logic_not, _logic_operator, _branches).map(
    lambda found: Logic(found[1], found[0], tuple(found[2]))
)
_logic_tree: Parser[Condition] = attempt(_logic_filter) | _logic_expression
_logic_path = separated(field_name, delimiter)


def parse_operation(value: str) -> tuple[bool, Operation]:
    """Parse a filter's value, such as `not.in.(1,2)`, into whether it is negated and its operation.

    Raises:
        RestError: PGRST100.
    """
    common = _COMMON.fullmatch(value)
    if common is not None:
        return common[1] is not None, Compare(common[2], common[3])
    plain = _PLAIN_LIST.fullmatch(value)
    if plain is not None:
        return plain[1] is not None, In(tuple(plain[2].split(",")))
    return run(_root_condition, value, "filter")


def parse_filter(key: str, value: str) -> tuple[EmbedPath, Filter]:
    """Parse one filter parameter into the path of its resource and the filter.

    Raises:
        RestError: PGRST100.
    """
    path, name = parse_key(key)
    negated, operation = parse_operation(value)
    return path, Filter(name, operation, negated)


@memoized(1024)
def parse_logic(key: str, value: str) -> tuple[EmbedPath, Condition]:
    """Parse a parameter such as `or`, `not.and` or `films.or` into its resource's path and the condition.

    Raises:
        RestError: PGRST100.
    """
    path = run(_logic_path, key, "logic path")
    operator = ("not." if "not" in path else "") + path[-1]
    tree = run(_logic_tree, operator + value, "logic tree", shown=value)
    return tuple(name for name in path[:-1] if name != "not"), tree
