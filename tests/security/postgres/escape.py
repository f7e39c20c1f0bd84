"""A function that tries to leave the role under which policies call it."""

ESCAPE = """
create or replace function public.escape() returns boolean language plpgsql set search_path = '' as $$
declare
    way text;
    held text;
begin
    foreach way in array array[
        'reset role', 'set role none', 'set role supabase_admin', 'set role postgres',
        'set role supabase_auth_admin', 'set role supabase_storage_admin',
        'set role supabase_realtime_admin', 'set role supabase_realtime_policies',
        'set role pg_read_all_data', 'reset session authorization',
        'set session authorization supabase_admin'
    ] loop
        begin
            execute way;
        exception when others then
            null;
        end;
        held := current_user;
        if held not in ('anon', 'authenticated', 'service_role') and (
            exists (
                select from pg_catalog.pg_roles r where r.rolname in (held, session_user)
                    and (r.rolsuper or r.rolbypassrls or r.rolreplication or r.rolcreaterole)
            )
            or exists (
                select from pg_catalog.pg_class c where pg_catalog.has_table_privilege(c.oid, 'select')
                    and c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = 'auth')
            )
        ) then
            return true;
        end if;
    end loop;
    return false;
end
$$
"""
"""SQL that creates `escape()`: it returns true if code of the project can get rights of the stack."""
