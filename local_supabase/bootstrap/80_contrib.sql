-- The extensions that Postgres itself brings. In a data folder from a version whose Postgres had none, what stood in for
-- them is replaced.

do $$
declare
    stand_in record;
begin
    -- It was empty.
    if exists (select from pg_extension where extname = 'pg_stat_statements')
        and not exists (select from pg_proc where proname = 'pg_stat_statements_info')
    then
        drop extension pg_stat_statements;
        set local role postgres;
        create extension pg_stat_statements with schema extensions;
        reset role;
    end if;
    -- Triggers call this function, so it stays and gets the original's body.
    for stand_in in
        select p.oid::regprocedure as function from pg_extension e
        join pg_depend d on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid and d.deptype = 'e'
        join pg_proc p on d.classid = 'pg_proc'::regclass and d.objid = p.oid
        join pg_language l on l.oid = p.prolang
        where e.extname = 'moddatetime' and l.lanname = 'plpgsql'
    loop
        execute format(
            'create or replace function %s returns trigger language c as ''$libdir/moddatetime'', ''moddatetime''',
            stand_in.function
        );
        execute format('alter function %s owner to supabase_admin', stand_in.function);
    end loop;
end
$$;

-- On a hosted project, postgres owns this wrapper. Only a superuser can own one.
create or replace function _local_supabase.share_wrapper() returns event_trigger
    language plpgsql security definer set search_path = '' as $$
begin
    if exists (select from pg_catalog.pg_foreign_data_wrapper where fdwname = 'postgres_fdw') then
        grant usage on foreign data wrapper postgres_fdw to postgres with grant option;
    end if;
end
$$;
create event trigger share_wrapper on ddl_command_end when tag in ('CREATE EXTENSION')
    execute function _local_supabase.share_wrapper();
