-- `postgres` inherits the rights of the owners of auth, storage and realtime. So it could grant and revoke there what the
-- owners may. On a hosted project it may grant SELECT on the tables of auth, and the use of storage and
-- realtime. All other rights stay as the stack made them.

-- The functions of event triggers run as whoever changes the schema: also as a role of the API, whose function makes a
-- temporary table.
grant usage on schema _local_supabase to public;

create function _local_supabase.managed_rights() returns text[]
    language sql stable set search_path = '' as $$
    with managed as (
        select n.oid, n.nspname as name, n.nspowner, n.nspacl from pg_catalog.pg_namespace n
        where _local_supabase.is_managed(n.nspname)
    ), rights as (
        select n.name, 'schema' as kind, n.oid, pg_catalog.aclexplode(coalesce(
            n.nspacl, pg_catalog.acldefault('n', n.nspowner))) as acl
        from managed n
        union all
        select n.name, 'table', c.oid, pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault(
            case c.relkind when 'S' then 's'::"char" else 'r'::"char" end, c.relowner)))
        from managed n join pg_catalog.pg_class c on c.relnamespace = n.oid
        where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        union all
        select n.name, 'table', c.oid, pg_catalog.aclexplode(a.attacl)
        from managed n join pg_catalog.pg_class c on c.relnamespace = n.oid
        join pg_catalog.pg_attribute a on a.attrelid = c.oid where a.attacl is not null
        union all
        select n.name, 'routine', p.oid, pg_catalog.aclexplode(coalesce(
            p.proacl, pg_catalog.acldefault('f', p.proowner)))
        from managed n join pg_catalog.pg_proc p on p.pronamespace = n.oid
        union all
        select coalesce(n.name, ''), 'default', d.oid, pg_catalog.aclexplode(d.defaclacl)
        from pg_catalog.pg_default_acl d left join managed n on n.oid = d.defaclnamespace
        where n.oid is not null or _local_supabase.is_owner_of_managed(d.defaclrole::pg_catalog.regrole::text)
    )
    select pg_catalog.array_agg(distinct pg_catalog.format('%s %s %s %s %s %s', name, kind, oid,
        case (acl).grantee when 0 then 'public' else (acl).grantee::pg_catalog.regrole::text end,
        (acl).privilege_type, (acl).is_grantable))
    from rights
$$;

-- Whether a right of the list above may be given, or taken away again.
create function _local_supabase.is_open_right(entry text) returns boolean
    language sql immutable set search_path = '' as $$
    select entry ~ '^auth table \d+ (?!postgres |dashboard_user |supabase_).* SELECT [tf]$'
        or entry ~ '^(storage|realtime) (table|schema) \d+ (?!postgres |dashboard_user |service_role |authenticated |anon |supabase_)'
            and entry !~ ' CREATE [tf]$'
$$;

create function _local_supabase.note_managed_rights() returns event_trigger
    language plpgsql set search_path = '' as $$
begin
    perform pg_catalog.set_config('_local_supabase.rights', _local_supabase.managed_rights()::text, true);
end
$$;

create function _local_supabase.guard_managed_rights() returns event_trigger
    language plpgsql set search_path = '' as $$
declare
    before constant text[] := nullif(pg_catalog.current_setting('_local_supabase.rights', true), '')::text[];
    changed text;
begin
    if _local_supabase.is_owner_of_managed(current_user) then
        return;
    end if;
    select coalesce(b.entry, n.entry) into changed
    from pg_catalog.unnest(before) as b (entry)
    full join pg_catalog.unnest(_local_supabase.managed_rights()) as n (entry) on n.entry = b.entry
    where (b.entry is null or n.entry is null) and not _local_supabase.is_open_right(coalesce(b.entry, n.entry))
        -- What everybody has may be given to anybody.
        and not (b.entry is null and pg_catalog.regexp_replace(n.entry, '^(\S+ routine \d+) .* EXECUTE f$', '\1 public EXECUTE f')
            = any (before))
    limit 1;
    if changed is not null then
        raise exception 'permission denied to change the rights in schema %', pg_catalog.split_part(changed, ' ', 1)
            using errcode = 'insufficient_privilege',
            detail = 'In auth, postgres may grant SELECT on tables; in storage and realtime, their use to roles of its own.';
    end if;
end
$$;

create event trigger note_managed_rights on ddl_command_start
    when tag in ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES', 'DROP OWNED', 'CREATE SCHEMA')
    execute function _local_supabase.note_managed_rights();
create event trigger guard_managed_rights on ddl_command_end
    when tag in ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES', 'DROP OWNED', 'CREATE SCHEMA')
    execute function _local_supabase.guard_managed_rights();
alter event trigger note_managed_rights enable always;
alter event trigger guard_managed_rights enable always;

-- As on a hosted project, nobody but the services changes the records of their migrations.
alter table auth.schema_migrations owner to supabase_admin;
alter table storage.migrations owner to supabase_admin;
revoke all on auth.schema_migrations, storage.migrations from postgres, dashboard_user, anon, authenticated, service_role;
grant select on auth.schema_migrations to supabase_auth_admin;
grant select on storage.migrations to supabase_storage_admin;
