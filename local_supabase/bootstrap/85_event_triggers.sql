-- Event triggers of the project. Postgres leaves them to superusers; a hosted project lets postgres make them, and does
-- not run them for what its services change. Migrations call these functions: stack/event_triggers.py.

-- What the stack itself changes runs no event trigger of the project, which could refuse it.
alter function _realtime.touch_publications(text[]) set event_triggers = off;

create function _local_supabase.require_own_event_trigger(event_trigger_name text) returns void
    language plpgsql stable set search_path = '' as $$
begin
    if exists (
        select from pg_catalog.pg_event_trigger t join pg_catalog.pg_proc p on p.oid = t.evtfoid
        where t.evtname = event_trigger_name and p.proowner <> 'postgres'::pg_catalog.regrole
    ) then
        raise exception 'must be owner of event trigger %', event_trigger_name
            using errcode = 'insufficient_privilege';
    end if;
end
$$;

create function _local_supabase.create_event_trigger(
    event_trigger_name text, event text, tags text[], function regprocedure
) returns void language plpgsql security definer set search_path = '' as $$
declare
    called text;
begin
    if event not in ('ddl_command_start', 'ddl_command_end', 'sql_drop', 'table_rewrite') then
        raise exception 'event triggers on "%" are not supported by the embedded Supabase', event
            using errcode = 'feature_not_supported';
    end if;
    select pg_catalog.format('%I.%I()', n.nspname, p.proname) into called
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where p.oid = function and p.proowner = 'postgres'::pg_catalog.regrole
        and p.prorettype = 'pg_catalog.event_trigger'::pg_catalog.regtype;
    if called is null then
        raise exception '% is no event trigger function of postgres', function
            using errcode = 'insufficient_privilege';
    end if;
    -- Otherwise it would run with all rights when a superuser changes something.
    execute pg_catalog.format('alter function %s security definer', called);
    execute pg_catalog.format(
        'create event trigger %I on %s%s execute function %s', event_trigger_name, event,
        (select ' when tag in (' || pg_catalog.string_agg(pg_catalog.quote_literal(tag), ', ') || ')'
         from pg_catalog.unnest(tags) as tag),
        called
    );
end
$$;

create function _local_supabase.drop_event_trigger(event_trigger_name text) returns void
    language plpgsql security definer set search_path = '' as $$
begin
    perform _local_supabase.require_own_event_trigger(event_trigger_name);
    execute pg_catalog.format('drop event trigger %I', event_trigger_name);
end
$$;

create function _local_supabase.switch_event_trigger(event_trigger_name text, mode text) returns void
    language plpgsql security definer set search_path = '' as $$
begin
    perform _local_supabase.require_own_event_trigger(event_trigger_name);
    if mode not in ('enable', 'disable', 'enable replica', 'enable always') then
        raise exception 'unknown mode %', mode using errcode = 'invalid_parameter_value';
    end if;
    execute pg_catalog.format('alter event trigger %I %s', event_trigger_name, mode);
end
$$;

revoke execute on function
    _local_supabase.create_event_trigger(text, text, text[], regprocedure), _local_supabase.drop_event_trigger(text),
    _local_supabase.switch_event_trigger(text, text)
from public;
grant execute on function
    _local_supabase.create_event_trigger(text, text, text[], regprocedure), _local_supabase.drop_event_trigger(text),
    _local_supabase.switch_event_trigger(text, text)
to postgres;
