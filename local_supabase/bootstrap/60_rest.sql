-- Notifies the REST service of every change of the schema, with the event triggers and the channel of a new Supabase
-- project. Runs as the superuser.

create schema if not exists extensions;

create or replace function extensions.pgrst_ddl_watch() returns event_trigger
language plpgsql set search_path = '' as $$
declare
    command record;
begin
    for command in select * from pg_catalog.pg_event_trigger_ddl_commands()
    loop
        if command.schema_name is distinct from 'pg_temp' then
            notify pgrst, 'reload schema';
            return;
        end if;
    end loop;
end;
$$;

create or replace function extensions.pgrst_drop_watch() returns event_trigger
language plpgsql set search_path = '' as $$
declare
    dropped record;
begin
    for dropped in select * from pg_catalog.pg_event_trigger_dropped_objects()
    loop
        if not dropped.is_temporary then
            notify pgrst, 'reload schema';
            return;
        end if;
    end loop;
end;
$$;

create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();

-- The configuration of `fts` without a language, as on a hosted project.
alter database postgres set default_text_search_config = 'pg_catalog.english';
