import pytest

from local_supabase.stack.event_triggers import call_for

CREATE = "select _local_supabase.create_event_trigger(%s, %s, %s::text[], %s::regprocedure)"


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (
            "create event trigger secure on ddl_command_end execute function public.secure()",
            ("secure", "ddl_command_end", [], "public.secure()"),
        ),
        (
            "CREATE EVENT TRIGGER Secure\n  ON sql_drop\n  WHEN TAG IN ('DROP TABLE', 'DROP VIEW')\n"
            "  EXECUTE PROCEDURE f()",
            ("secure", "sql_drop", ["DROP TABLE", "DROP VIEW"], "f()"),
        ),
        (
            'create event trigger "My ""one""" on ddl_command_start execute function "App"."F" ( )',
            ('My "one"', "ddl_command_start", [], '"App"."F"()'),
        ),
    ],
)
def test_a_new_event_trigger_becomes_a_call(statement: str, values: tuple[object, ...]) -> None:
    assert call_for(statement) == (CREATE, values)


def test_event_triggers_are_dropped_and_switched_by_calls() -> None:
    assert call_for("drop event trigger Secure cascade") == (
        "select _local_supabase.drop_event_trigger(%s)",
        ("secure",),
    )
    assert call_for("DROP EVENT TRIGGER IF EXISTS secure") == (
        "select _local_supabase.drop_event_trigger(evtname) from pg_event_trigger where evtname = %s",
        ("secure",),
    )
    assert call_for('alter event trigger "secure" ENABLE  always') == (
        "select _local_supabase.switch_event_trigger(%s, %s)",
        ("secure", "enable always"),
    )


@pytest.mark.parametrize(
    "statement",
    [
        "create trigger t before insert on x for each row execute function f()",
        "select 'create event trigger t on ddl_command_end execute function f()'",
        "create event trigger t on ddl_command_end execute function f(); drop table x",
        "create event trigger t on ddl_command_end execute function f('a')",
        "alter event trigger t owner to postgres",
        "create event trigger t on ddl_command_end when tag in ('A'') or (1)') execute function f()",
    ],
)
def test_everything_else_stays_as_it_is(statement: str) -> None:
    assert call_for(statement) is None
