"""Random values, and those that have made servers slow or fail."""

from __future__ import annotations

from hypothesis import strategies as st

HOSTILE = (
    "", "null", "NaN", "Infinity", "-infinity", "1e999", "9" * 400, "-1", "0x10", "true", "now", "epoch",
    "{}", "[]", "{a", "{{}}", '{"a":1}', "(1,2)", "[1,2)", "()", "'", '"', '""', "\\", "%", "*", "\u0000",
    "\ud7ff", "\U0001f600" * 20, "' or 1=1 --", "$1", "a" * 3000, "%a" * 400 + "b", "*a" * 400,
    "(a+)+$", "((a*)*)*b", "(.*)\\1", "[[:alpha:]]{1,255}", "a{255}{255}", "(" * 200, "[" * 200, "{" * 200,
    '{"a":' * 120 + "1" + "}" * 120, "a & b | !c", "& & &", "1,2,3", "\u202e", "infinity", "00000000-0000",
    "99999999999-01-01", "24:00:61", "1 month -1 day", "public.users", "pg_catalog.pg_class",
)  # fmt: skip

text = st.text(st.characters(codec="utf-8"), max_size=30)
hostile = st.sampled_from(HOSTILE)
value = hostile | text | st.integers().map(str)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | value,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(value, inner, max_size=3),
    max_leaves=6,
)
header = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip)
