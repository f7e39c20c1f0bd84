"""Event triggers in migrations: what a hosted project lets `postgres` do, although it is no superuser.

A statement becomes a call of a function in bootstrap/85_event_triggers.sql, which has the right to do it.
"""

from __future__ import annotations

import re

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
_CREATE = re.compile(
    rf"""create \s+ event \s+ trigger \s+ (?P<name>{_NAME}) \s+ on \s+ (?P<event>{_NAME})
    (?: \s+ when \s+ tag \s+ in \s* \( (?P<tags> \s* '[^']*' (?: \s*,\s* '[^']*' )* ) \s* \) )?
    \s+ execute \s+ (?:function|procedure)
    \s+ (?P<function>{_NAME} (?: \s*\.\s* {_NAME} )? ) \s* \( \s* \)""",
    re.VERBOSE | re.IGNORECASE,
)
_DROP = re.compile(
    rf"drop\s+event\s+trigger\s+(?P<missing>if\s+exists\s+)?(?P<name>{_NAME})(?:\s+(?:cascade|restrict))?",
    re.IGNORECASE,
)
_SWITCH = re.compile(
    rf"alter\s+event\s+trigger\s+(?P<name>{_NAME})\s+(?P<mode>enable(?:\s+(?:replica|always))?|disable)",
    re.IGNORECASE,
)


def call_for(statement: str) -> tuple[str, tuple[object, ...]] | None:
    """Return the SQL and the values that do what a statement about an event trigger says.

    Arguments:
        statement: one statement without its semicolon.

    Returns:
        None for any other statement, and for forms that a hosted project refuses as well.
    """
    if match := _CREATE.fullmatch(statement):
        tags = re.findall("'([^']*)'", match["tags"] or "")
        values = (_plain(match["name"]), _plain(match["event"]), tags, f"{match['function']}()")
        return "select _local_supabase.create_event_trigger(%s, %s, %s::text[], %s::regprocedure)", values
    if match := _DROP.fullmatch(statement):
        name = _plain(match["name"])
        if match["missing"]:
            sql = (
                "select _local_supabase.drop_event_trigger(evtname) from pg_event_trigger where evtname = %s"
            )
            return sql, (name,)
        return "select _local_supabase.drop_event_trigger(%s)", (name,)
    if match := _SWITCH.fullmatch(statement):
        mode = " ".join(match["mode"].lower().split())
        return "select _local_supabase.switch_event_trigger(%s, %s)", (_plain(match["name"]), mode)
    return None


def _plain(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier.lower()
