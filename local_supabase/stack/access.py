"""Gives the services the access to the database that its owner can take from them.

`postgres` owns the database and may change the roles of the API. On a hosted project, a library (supautils)
keeps it from changing these roles. Here the stack puts them right at each start.
"""

from __future__ import annotations

from typing import Final

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class has a lower-case name

# Roles that the owner has renamed or dropped are left out.
_RESTORE: Final = """
do $$
declare
    wanted record;
begin
    execute format('alter database %I with connection limit -1', current_database());
    for wanted in
        select * from (values
            ('authenticator', 'login nobypassrls'),
            ('anon', 'nologin nobypassrls'),
            ('authenticated', 'nologin nobypassrls'),
            ('service_role', 'nologin bypassrls')
        ) as r (name, attributes)
        where exists (select from pg_roles where rolname = r.name)
    loop
        execute format(
            'alter role %I %s noinherit nocreatedb nocreaterole noreplication connection limit -1',
            wanted.name, wanted.attributes
        );
        if wanted.name <> 'authenticator' and to_regrole('authenticator') is not null then
            execute format('grant %I to authenticator', wanted.name);
        end if;
    end loop;
    for wanted in
        select rolname as name from pg_roles
        where rolcanlogin and not rolsuper
            and (rolname = 'authenticator' or starts_with(rolname, 'supabase_'))
            and not has_database_privilege(rolname, current_database(), 'connect')
    loop
        execute format('grant connect on database %I to %I', current_database(), wanted.name);
    end loop;
end
$$
"""


def restore_access(connection: Connection) -> None:
    """Give the services their access to the database, and the roles of the API their attributes.

    Arguments:
        connection: a connection of the superuser, in autocommit mode.
    """
    with connection.cursor() as cursor:
        cursor.execute("set event_triggers = off")
        cursor.execute(_RESTORE)
