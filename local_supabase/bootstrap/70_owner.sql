-- Makes `postgres` what it is on a hosted project: the owner of the project's objects, and no superuser. Runs as
-- supabase_admin, once in every data folder: in those of older versions, `postgres` was a superuser.

alter role postgres nosuperuser login createdb createrole replication bypassrls;
grant anon, authenticated, service_role, authenticator to postgres with admin true, inherit true, set true;
grant pg_monitor, pg_read_all_data, pg_signal_backend, pg_create_subscription to postgres with admin option;
grant execute on function pg_catalog.pg_reload_conf() to postgres;
alter role supabase_auth_admin nocreaterole;

-- The settings that hosted projects let `postgres` change: Postgres' own, and those that a role keeps for PostgREST.
grant set on parameter log_lock_waits, log_min_duration_statement, log_min_messages, log_replication_commands,
    log_statement, log_temp_files, session_replication_role, track_io_timing, wal_compression,
    pgrst.db_aggregates_enabled, pgrst.db_anon_role, pgrst.db_extra_search_path, pgrst.db_hoisted_tx_settings,
    pgrst.db_max_rows, pgrst.db_plan_enabled, pgrst.db_pre_request, pgrst.db_root_spec, pgrst.db_schemas,
    pgrst.db_timezone_enabled, pgrst.db_tx_end, pgrst.jwt_aud, pgrst.jwt_role_claim_key, pgrst.openapi_mode,
    pgrst.openapi_security_active, pgrst.server_cors_allowed_origins, pgrst.server_timing_enabled to postgres;

revoke create on schema auth, storage, realtime from postgres;
revoke all on auth.schema_migrations from postgres, dashboard_user;
grant usage on schema storage, realtime to postgres with grant option;
grant all on all tables in schema extensions to postgres with grant option;
grant all on all routines in schema extensions to postgres with grant option;
grant all on all sequences in schema extensions to postgres with grant option;
alter default privileges for role supabase_admin in schema extensions grant all on tables to postgres with grant option;
alter default privileges for role supabase_admin in schema extensions
    grant all on routines to postgres with grant option;
alter default privileges for role supabase_admin in schema extensions
    grant all on sequences to postgres with grant option;

-- The stack records there, as `postgres`, that the seed ran.
grant usage on schema _local_supabase to postgres;
grant select, insert on _local_supabase.facts to postgres;

-- On a hosted project, a library (supautils) lets `postgres` manage the policies, and drop the triggers, of tables in
-- auth, storage and realtime, and drop or alter extensions. Here it inherits the rights of the tables' owners, and an
-- event trigger refuses everything else that these would allow.
grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres with inherit true, set false;

create or replace function _local_supabase.is_managed(schema_name text) returns boolean
    language sql immutable set search_path = '' as $$
    select coalesce(schema_name in ('auth', 'storage', 'realtime'), false)
$$;

create or replace function _local_supabase.is_owner_of_managed(role_name text) returns boolean
    language sql stable set search_path = '' as $$
    select r.rolsuper or r.rolname in ('supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin')
    from pg_catalog.pg_roles r where r.rolname = role_name
$$;

-- Returns the schema that a changed object belongs to: of a trigger or rule, that of its table. A schema that was
-- renamed is known by its owner.
create or replace function _local_supabase.schema_of(class oid, object oid, schema_name text) returns text
    language sql stable set search_path = '' as $$
    select case class
        when 'pg_catalog.pg_namespace'::pg_catalog.regclass then (
            select case n.nspowner::pg_catalog.regrole::text
                when 'supabase_auth_admin' then 'auth' when 'supabase_storage_admin' then 'storage' else n.nspname end
            from pg_catalog.pg_namespace n where n.oid = object)
        when 'pg_catalog.pg_trigger'::pg_catalog.regclass then (
            select c.relnamespace::pg_catalog.regnamespace::text
            from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid where t.oid = object)
        when 'pg_catalog.pg_rewrite'::pg_catalog.regclass then (
            select c.relnamespace::pg_catalog.regnamespace::text
            from pg_catalog.pg_rewrite w join pg_catalog.pg_class c on c.oid = w.ev_class where w.oid = object)
        else schema_name
    end
$$;

create or replace function _local_supabase.guard_managed_changes() returns event_trigger
    language plpgsql set search_path = '' as $$
declare
    command record;
    schema_name text;
begin
    if _local_supabase.is_owner_of_managed(current_user) then
        return;
    end if;
    for command in select * from pg_catalog.pg_event_trigger_ddl_commands() loop
        schema_name := _local_supabase.schema_of(command.classid, command.objid, command.schema_name);
        continue when not _local_supabase.is_managed(schema_name)
            or command.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
            -- The stack writes to realtime as the superuser, so a trigger there would run with all rights.
            or (command.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and schema_name <> 'realtime');
        raise exception 'must be owner of %', command.object_identity using errcode = 'insufficient_privilege',
            detail = 'In auth, storage and realtime, postgres may manage policies and triggers only.';
    end loop;
    if exists (
        select from pg_catalog.pg_event_trigger t join pg_catalog.pg_proc p on p.oid = t.evtfoid
        join pg_catalog.pg_roles r on r.oid = p.proowner
        where not p.prosecdef and not r.rolsuper
    ) then
        raise exception 'the function of an event trigger must be security definer, or owned by a superuser'
            using errcode = 'insufficient_privilege', detail = 'It would run as the superuser when the stack changes something.';
    end if;
end
$$;

create or replace function _local_supabase.guard_managed_drops() returns event_trigger
    language plpgsql set search_path = '' as $$
declare
    dropped record;
begin
    if _local_supabase.is_owner_of_managed(current_user) then
        return;
    end if;
    for dropped in select * from pg_catalog.pg_event_trigger_dropped_objects() loop
        -- Policies and triggers belong to no schema by themselves.
        continue when dropped.object_type in ('policy', 'trigger') or not _local_supabase.is_managed(
            case dropped.object_type when 'schema' then dropped.object_name
            else coalesce(dropped.schema_name, dropped.address_names[1]) end);
        raise exception 'must be owner of %', dropped.object_identity using errcode = 'insufficient_privilege',
            detail = 'In auth, storage and realtime, postgres may drop policies and triggers only.';
    end loop;
end
$$;

drop event trigger if exists guard_managed_changes;
drop event trigger if exists guard_managed_drops;
create event trigger guard_managed_changes on ddl_command_end execute function _local_supabase.guard_managed_changes();
create event trigger guard_managed_drops on sql_drop execute function _local_supabase.guard_managed_drops();
-- `postgres` may set session_replication_role, which turns off other event triggers.
alter event trigger guard_managed_changes enable always;
alter event trigger guard_managed_drops enable always;

-- Only a superuser may own an event trigger, and the function of one runs with the rights of whoever changes the
-- schema. Those that `postgres` made as a superuser stay, but never run with more than its rights.
do $$
declare
    kept record;
begin
    for kept in
        select t.evtname, t.evtfoid::regprocedure as function, p.proowner::regrole as owner
        from pg_event_trigger t join pg_proc p on p.oid = t.evtfoid join pg_roles r on r.oid = p.proowner
        where not r.rolsuper
    loop
        execute format('alter function %s security definer', kept.function);
        execute format('alter event trigger %I owner to supabase_admin', kept.evtname);
    end loop;
end
$$;

-- There is no command that changes an extension's owner.
with given as (
    update pg_extension set extowner = 'postgres'::regrole
    where extname <> 'plpgsql' and extowner = 'supabase_admin'::regrole returning oid
)
insert into pg_shdepend (dbid, classid, objid, objsubid, refclassid, refobjid, deptype)
select d.oid, 'pg_extension'::regclass, given.oid, 0, 'pg_authid'::regclass, 'postgres'::regrole, 'o'
from given, pg_database d where d.datname = current_database();
