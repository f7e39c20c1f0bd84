-- The change log knows of groups of people: naming every rater of a tenant in each entry's audience would cost as much
-- as there are raters. An entry has scopes, a person has scopes (private.my_scopes), and what they share may be known.

alter table public.change_log add column scopes text[] not null default '{}';
comment on column public.change_log.scopes is
    'Groups that may know of it beside the audience, through changes_since(): tenant:<id>, managers:<id>, campaigns:<id>, brand:<id>:<brand>, everybody.';

create function private.my_scopes() returns text[]
language sql stable security definer set search_path = ''
as $$
    select array_remove(array[
        'tenant:' || tenant_id,
        case when role = 'manager' then 'managers:' || tenant_id end,
        coalesce('brand:' || tenant_id || ':' || brand_id, 'campaigns:' || tenant_id)
    ], null)
    from public.rater_profiles where user_id = (select auth.uid()) and active
$$;
comment on function private.my_scopes() is 'The groups of change_log.scopes that the caller is in now; null for none.';
revoke execute on function private.my_scopes() from public, anon, authenticated, service_role;

-- Arguments: who may know, with commas: everybody, tenant, managers, campaigns (the tenant, or the row's brand), or a
-- column with a person; then the columns of the key. The row has tenant_id, or is the tenant. In contrast to what is
-- 'public', what everybody may know this way is not shown in the admins' activity feed.
create function private.log_tenant_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    told constant text[] := string_to_array(tg_argv[0], ',');
    before constant jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    after constant jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    -- The guards leave no row another tenant or brand, so one of the two rows tells it.
    present constant jsonb := coalesce(after, before);
    tenant constant text := coalesce(present ->> 'tenant_id', present ->> 'id');
    row_key jsonb;
    audience uuid[];
    scopes text[];
begin
    select jsonb_object_agg(col, present -> col) into row_key from unnest(tg_argv[1:]) as col;
    select coalesce(array_agg(distinct person::uuid), '{}') into audience
    from unnest(told) as col
    cross join lateral (values (before ->> col), (after ->> col)) as either(person)
    where col not in ('everybody', 'tenant', 'managers', 'campaigns') and person is not null;
    select coalesce(array_agg(known || ':' || tenant), '{}') into scopes
    from unnest(told) as known where known in ('tenant', 'managers', 'campaigns');
    if 'everybody' = any (told) then
        scopes := scopes || 'everybody'::text;
    end if;
    if 'campaigns' = any (told) and present ->> 'brand_id' is not null then
        scopes := scopes || ('brand:' || tenant || ':' || (present ->> 'brand_id'));
    end if;
    insert into public.change_log (table_name, row_key, op, audience, scopes)
    values (tg_table_name, row_key, tg_op, audience, scopes);
    return null;
end
$$;
revoke execute on function private.log_tenant_change() from public, anon, authenticated, service_role;

-- As before, and what the caller's groups may know.
create or replace function public.changes_since(p_cursor text default null) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
    -- A stable function reads everything with its caller's one snapshot, this one: what it did not see has an xid that
    -- was running then, so it is not below xmin, and the next call (>= xmin) has it.
    snapshot constant pg_snapshot := pg_current_snapshot();
    me constant uuid := auth.uid();
    admin constant boolean := private.is_admin();
    mine constant text[] := array['everybody'] || coalesce(private.my_scopes(), '{}');
    since xid8;
    complete_from xid8;
    changes jsonb := '[]';
    resync boolean := false;
begin
    if p_cursor is not null then
        select state.complete_from into complete_from from private.change_log_state as state;
        since := case when p_cursor ~ '^[0-9]{1,19}$' then p_cursor::xid8 end;
        -- Not ours, from the future of a database that was restored, or older than what is kept. (A dump restored
        -- elsewhere brings a complete_from of its old cluster, which says nothing until pruning sets it right.)
        resync := since is null
            or since > pg_snapshot_xmax(snapshot)
            or (since < complete_from and complete_from <= pg_snapshot_xmax(snapshot));
    end if;
    if p_cursor is not null and not resync then
        select coalesce(
            jsonb_agg(
                jsonb_build_object('table', latest.table_name, 'key', latest.row_key, 'op', latest.op) order by latest.id
            ),
            '[]'
        ) into changes
        from (
            select distinct on (entry.table_name, entry.row_key) entry.id, entry.table_name, entry.row_key, entry.op
            from public.change_log as entry
            where entry.xid >= since
                and (
                    entry.audience is null or me = any (entry.audience) or (entry.for_admins and admin)
                    or entry.scopes && mine
                )
            order by entry.table_name, entry.row_key, entry.id desc
        ) as latest;
    end if;
    return jsonb_build_object('cursor', pg_snapshot_xmin(snapshot)::text, 'resync', resync, 'changes', changes);
end
$$;

create trigger log_change after insert or update or delete on public.tenants
    for each row execute function private.log_tenant_change('tenant', 'id');
create trigger log_change after insert or update or delete on public.tenant_invites
    for each row execute function private.log_tenant_change('managers', 'id');
create trigger log_change after insert or update or delete on public.rater_profiles
    for each row execute function private.log_tenant_change('tenant,user_id', 'user_id');
create trigger log_change after insert or update or delete on public.rating_roles
    for each row execute function private.log_tenant_change('everybody', 'user_id');
