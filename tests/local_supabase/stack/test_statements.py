import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.stack.statements import split


@pytest.mark.parametrize(
    ("script", "texts"),
    [
        ("", []),
        ("  ;; -- nothing\n;", []),
        ("select 1", ["select 1"]),
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select ';'; select 2", ["select ';'", "select 2"]),
        ("select 'it''s;'; select 2", ["select 'it''s;'", "select 2"]),
        (r"select e'\';'; select 2", [r"select e'\';'", "select 2"]),
        (r"select '\'; select 2", [r"select '\'", "select 2"]),
        ('select 1 as "a;b"; select 2', ['select 1 as "a;b"', "select 2"]),
        ("select 1 -- ; not here\n; select 2", ["select 1 -- ; not here", "select 2"]),
        ("select 1 /* ; /* ; */ ; */; select 2", ["select 1 /* ; /* ; */ ; */", "select 2"]),
        ("do $$ begin perform 1; end $$; select 2", ["do $$ begin perform 1; end $$", "select 2"]),
        ("do $a$ select $$;$$; $a$; select 2", ["do $a$ select $$;$$; $a$", "select 2"]),
        ("select $1; select a$b$; select 3", ["select $1", "select a$b$", "select 3"]),
        ("create rule r as on insert to t do (select 1; select 2); select 3",
         ["create rule r as on insert to t do (select 1; select 2)", "select 3"]),
        ("create function f() begin atomic select 1; select case 1 when 1 then 2 end; end; select 3",
         ["create function f() begin atomic select 1; select case 1 when 1 then 2 end; end",
          "select 3"]),
        ("begin; select 1; end; select 2", ["begin", "select 1", "end", "select 2"]),
        ("-- why\nselect 1;", ["select 1"]),
    ],
)  # fmt: skip
def test_a_script_is_split_into_its_statements(script: str, texts: list[str]) -> None:
    assert [statement.text for statement in split(script)] == texts


def test_a_statement_has_its_line_number() -> None:
    script = "-- a comment\n\nselect 1;\n\n/* two\nlines */ select\n2;\n"
    assert [statement.line for statement in split(script)] == [3, 6]


@pytest.mark.parametrize(
    "script", ["select 'open", "select $$ open", "select /* open", 'select "open', "select (1; "]
)
def test_an_unfinished_script_is_one_statement(script: str) -> None:
    assert [statement.text for statement in split(script)] == [script.strip()]


@given(st.text(alphabet="ae'\"$;/*-() \n\\begintomcd1_"))
def test_any_text_is_split_into_parts_of_itself(script: str) -> None:
    for statement in split(script):
        assert statement.text in script
        assert statement.text.strip() == statement.text != ""
