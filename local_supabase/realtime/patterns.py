"""Refuses patterns of filters whose cost has no bound, before they reach Postgres.

Without what is refused here, Postgres matches a regular expression in one pass over the text.
"""

from itertools import pairwise

from local_supabase.realtime.filters import Clause, Operator
from local_supabase.realtime.like import UnfinishedEscapeError, check_pattern

MAX_PATTERN = 1000
MAX_EXPRESSION = 200
MAX_EXPANDED = 2000
_LOOKAROUND = ("(?=", "(?!", "(?<=", "(?<!")


class PatternRefusedError(ValueError):
    """A pattern that is wrong, too long or too costly; the message says why."""


def check(clause: Clause) -> None:
    """Check the pattern of a clause that has one.

    Raises `PatternRefusedError`.
    """
    if clause.operator in (Operator.LIKE, Operator.ILIKE):
        if len(clause.value) > MAX_PATTERN:
            raise PatternRefusedError(f"a pattern has at most {MAX_PATTERN} characters")
        try:
            check_pattern(clause.value)
        except UnfinishedEscapeError as error:
            raise PatternRefusedError(str(error)) from error
    elif clause.operator in (Operator.MATCH, Operator.IMATCH):
        _check_expression(clause.value)


def _check_expression(expression: str) -> None:
    if len(expression) > MAX_EXPRESSION:
        raise PatternRefusedError(f"a regular expression has at most {MAX_EXPRESSION} characters")
    # Both choose another syntax, in which back references are written differently.
    if expression.startswith("***") or _has_other_syntax(expression):
        raise PatternRefusedError("a regular expression must not choose its syntax")
    if _has_back_reference(expression):
        raise PatternRefusedError("back references are not supported")
    if any(sign in expression for sign in _LOOKAROUND):
        raise PatternRefusedError("lookahead and lookbehind are not supported")
    if _expanded_size(expression) > MAX_EXPANDED:
        raise PatternRefusedError("the repetitions of a regular expression multiply to too many")


def _has_other_syntax(expression: str) -> bool:
    """Return whether the options at the start choose basic, extended or expanded syntax."""
    if not expression.startswith("(?"):
        return False
    options, closed, _ = expression[2:].partition(")")
    return bool(closed) and options.isalpha() and bool(set("bex") & set(options))


def _has_back_reference(expression: str) -> bool:
    # Inside brackets Postgres refuses what looks like one. So no need to tell where a bracket ends.
    escaped = False
    for character in expression:
        if escaped and character in "123456789":
            return True
        escaped = character == "\\" and not escaped
    return False


def _expanded_size(expression: str) -> int:
    """Return an upper bound of the characters that remain when all counted repetitions are written out."""
    size, nested = len(expression), 1
    for before, after in pairwise(expression.split("{")):
        count = max(
            [int(count) for count in after.partition("}")[0].split(",") if count.isdecimal()], default=1
        )
        size += count
        # Only groups nest.
        if before.endswith(")"):
            nested *= max(count, 1)
    return size * nested
