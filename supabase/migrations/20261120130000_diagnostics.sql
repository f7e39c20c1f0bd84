-- What the Diagnostics page asks of the database. The catalog answers anybody, but PostgREST exposes neither it nor the
-- list of applied migrations; this tells admins, and nobody else, the few facts that the page needs.

create function public.diagnostics() returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
    applied jsonb;
begin
    if not private.is_admin() then
        raise exception using errcode = '42501', message = 'Only an admin can run the diagnostics.';
    end if;
    -- Kept by the Supabase CLI (and by the embedded Supabase); not there when the files were run by hand.
    if pg_catalog.to_regclass('supabase_migrations.schema_migrations') is not null then
        begin
            execute 'select jsonb_agg(version order by version) from supabase_migrations.schema_migrations' into applied;
        exception when insufficient_privilege then
            applied := null;
        end;
    end if;
    return jsonb_build_object(
        'server_time', clock_timestamp(),
        'server_version', current_setting('server_version'),
        'migrations', applied,
        'published', (
            select coalesce(jsonb_agg(tablename order by tablename), '[]') from pg_catalog.pg_publication_tables
            where pubname = 'supabase_realtime' and schemaname = 'public'
        )
    );
end
$$;
comment on function public.diagnostics() is
    'For admins: the time, the version, the published tables and the applied migrations (null when nobody keeps a list).';
revoke execute on function public.diagnostics() from public, anon, authenticated, service_role;
grant execute on function public.diagnostics() to authenticated;
