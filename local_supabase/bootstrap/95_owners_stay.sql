-- `postgres` inherits the rights of the owners of auth, storage and realtime, which `REASSIGN OWNED` asks for, too. No
-- event trigger sees that command. It changes all that a role owns or nothing, and only a superuser can change the owner
-- of a foreign-data wrapper: so one that does nothing, owned by each of these roles, keeps the rest where it is.

-- Puts right what `postgres` reassigned before. Without that, the schema has its owner still.
do $$
declare
    managed record;
    object record;
begin
    for managed in
        select * from (values ('auth', 'supabase_auth_admin'), ('storage', 'supabase_storage_admin')) as m (name, owner)
        where (select nspowner::regrole::text from pg_namespace where nspname = m.name) <> m.owner
    loop
        for object in
            select 'table' as kind, c.oid::regclass::text as name from pg_class c
            where c.relnamespace = managed.name::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
                and c.relowner <> 'supabase_admin'::regrole
            union all
            -- The owner of a sequence that belongs to a column changes with the table's.
            select 'sequence', c.oid::regclass::text from pg_class c
            where c.relnamespace = managed.name::regnamespace and c.relkind = 'S' and c.relowner <> 'supabase_admin'::regrole
                and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
                    and d.deptype in ('a', 'i') and d.refclassid = 'pg_class'::regclass)
            union all
            select 'routine', p.oid::regprocedure::text from pg_proc p
            where p.pronamespace = managed.name::regnamespace and p.proowner <> 'supabase_admin'::regrole
            union all
            select 'type', t.oid::regtype::text from pg_type t
            where t.typnamespace = managed.name::regnamespace and t.typtype in ('e', 'd')
                and t.typowner <> 'supabase_admin'::regrole
        loop
            execute format('alter %s %s owner to %I', object.kind, object.name, managed.owner);
        end loop;
        execute format('alter schema %I owner to %I', managed.name, managed.owner);
    end loop;
end
$$;

-- Only a superuser may be given a wrapper, and need not stay one.
do $$
declare
    owner text;
begin
    foreach owner in array array['supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin'] loop
        execute format('create foreign data wrapper %I', 'owner_stays_' || owner);
        execute format('alter role %I superuser', owner);
        execute format('alter foreign data wrapper %I owner to %I', 'owner_stays_' || owner, owner);
        execute format('alter role %I nosuperuser', owner);
    end loop;
end
$$;

create function _local_supabase.guard_wrapper_changes() returns event_trigger
    language plpgsql set search_path = '' as $$
begin
    if not _local_supabase.is_owner_of_managed(current_user) and exists (
        select from pg_catalog.pg_event_trigger_ddl_commands() c
        join pg_catalog.pg_foreign_data_wrapper w on w.oid = c.objid
        where c.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass
            and _local_supabase.is_owner_of_managed(w.fdwowner::pg_catalog.regrole::text)
    ) then
        raise exception 'must be owner of foreign-data wrapper' using errcode = 'insufficient_privilege';
    end if;
end
$$;

create function _local_supabase.guard_wrapper_drops() returns event_trigger
    language plpgsql set search_path = '' as $$
begin
    if not _local_supabase.is_owner_of_managed(current_user) and exists (
        select from pg_catalog.pg_event_trigger_dropped_objects() d
        where d.object_type = 'foreign-data wrapper' and pg_catalog.starts_with(d.object_name, 'owner_stays_')
    ) then
        raise exception 'must be owner of foreign-data wrapper' using errcode = 'insufficient_privilege';
    end if;
end
$$;

create event trigger guard_wrapper_changes on ddl_command_end execute function _local_supabase.guard_wrapper_changes();
create event trigger guard_wrapper_drops on sql_drop execute function _local_supabase.guard_wrapper_drops();
alter event trigger guard_wrapper_changes enable always;
alter event trigger guard_wrapper_drops enable always;
