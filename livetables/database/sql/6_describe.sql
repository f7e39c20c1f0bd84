-- What the library asks before it follows a table, and what `python -m livetables check` reports.

create or replace function livetables.problem(code text, message text, mend text, severity text default 'error') returns jsonb
language sql immutable set search_path = ''
as $$ select jsonb_build_object('code', code, 'severity', severity, 'message', message, 'mend', mend) $$;

-- What keeps a table from being live, null for nothing. `name` is as SQL spells it.
create or replace function livetables.problems_of(relation regclass) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
    name constant text := (select relname from pg_catalog.pg_class where oid = relation);
    kind constant "char" := (select relkind from pg_catalog.pg_class where oid = relation);
    secured constant boolean := (select relrowsecurity from pg_catalog.pg_class where oid = relation);
    key constant text[] := livetables.key_of(relation);
    seen constant jsonb := livetables.watched(relation);
    who constant jsonb := coalesce(seen -> 'who', '{}');
    is_public constant boolean := who ?| array['everybody', 'where'];
    reader constant text := case when is_public then 'anon' else 'authenticated' end;
    again constant text := format('select livetables.watch(%L);', name);
    columns constant text[] := array(
        select attname::text from pg_catalog.pg_attribute where attrelid = relation and attnum > 0 and not attisdropped
    );
    missing text[];
    found jsonb := '[]';
begin
    if kind <> 'r' then
        return jsonb_build_array(livetables.problem(
            'no_table', format('%s is a view or a partitioned table, which Realtime does not stream', name),
            'Watch the tables behind it.'
        ));
    end if;
    if key is null then
        found := found || livetables.problem(
            'no_key', format('%s has no primary key, so its rows cannot be told apart', name),
            format('alter table %s add column id uuid primary key default gen_random_uuid();', relation)
        );
    end if;
    if seen is null then
        found := found || livetables.problem(
            'no_log', format('%s is not watched: a row written while the connection is away would never arrive', name), again
        );
        if not 'version' = any (columns) then
            found := found || livetables.problem(
                'no_version', format('%s has no version column, so an older state of a row could replace a newer one', name), again
            );
        end if;
    else
        if not (seen -> 'enabled')::boolean then
            found := found || livetables.problem(
                'no_log', format('A trigger of livetables on %s is missing or disabled', name), again
            );
        end if;
        if key is not null and (to_jsonb(key) <> seen -> 'key' or not columns @> livetables.columns_of(who)) then
            found := found || livetables.problem(
                'no_log', format('%s has other columns than when it was watched', name), again
            );
        end if;
        if not coalesce(seen ->> 'version', '') = any (columns) then
            found := found || livetables.problem(
                'no_version', format('%s has lost its version column %s', name, seen ->> 'version'), again
            );
        end if;
    end if;
    found := found || coalesce(livetables.problems_of_publication(relation, name, columns, case when seen is null then again end), '[]');
    if not has_schema_privilege(reader, 'public', 'usage') then
        found := found || livetables.problem(
            'no_grant', format('%s may not use the schema public, so it cannot read %s', reader, name), format('grant usage on schema public to %s;', reader)
        );
    end if;
    select array_agg(col) into missing from unnest(columns) as col where not has_column_privilege(reader, relation, col, 'select');
    if missing is not null and (is_public or seen is not null or not has_any_column_privilege('anon', relation, 'select')) then
        found := found || livetables.problem(
            'no_grant', case when missing @> columns then format('%s may not select from %s', reader, name)
                else format('%s may not select these columns of %s: %s', reader, name, array_to_string(missing, ', ')) end,
            format('grant select on %s to %s;', relation, reader)
        );
    end if;
    if secured and not exists (
        select from pg_catalog.pg_policy
        where polrelid = relation and polpermissive and polcmd in ('r', '*')
            and polroles && array[0::oid, 'authenticated'::regrole, reader::regrole]
            and (seen is null or not is_public or polroles && array[0::oid, 'anon'::regrole])
    ) then
        found := found || livetables.problem(
            'no_policy', format('%s has row-level security and no policy that lets %s select, so it looks empty', name, reader),
            case
                when who ? 'people' then format(
                    'create policy "Live for owners" on %s for select to authenticated using ((select auth.uid()) = %I);',
                    relation, who -> 'people' ->> 0
                )
                when is_public then format('create policy "Live for everybody" on %s for select to anon, authenticated using (true);', relation)
                else format('create policy "Live for members" on %s for select to authenticated using (true);', relation)
            end
        );
    elsif not secured then
        found := found || livetables.problem(
            'no_rls', format('%s has no row-level security: whoever may use it sees and changes every row', name),
            format('alter table %s enable row level security; -- then add policies', relation), 'warning'
        );
    end if;
    if seen is not null and not is_public and (select relreplident from pg_catalog.pg_class where oid = relation) = 'f' then
        found := found || livetables.problem(
            'full_identity', format(
                '%s is private and logs whole rows: by filters on deletions, others can guess what a deleted row said', name
            ),
            format('alter table %s replica identity default; %s', relation, again), 'warning'
        );
    end if;
    return found;
end
$$;

create or replace function livetables.problems_of_publication(
    relation regclass, name text, columns text[], first_mend text
) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
    publication record;
    published record;
begin
    select oid, pubinsert and pubupdate and pubdelete as all_verbs into publication
    from pg_catalog.pg_publication where pubname = 'supabase_realtime';
    if not found then
        return jsonb_build_array(livetables.problem(
            'not_published', format('There is no publication supabase_realtime, so Realtime sends no changes of %s', name),
            coalesce(first_mend, format('create publication supabase_realtime for table %s;', relation))
        ));
    end if;
    if not livetables.is_published(relation) then
        return jsonb_build_array(livetables.problem(
            'not_published', format('%s is not in the publication supabase_realtime, so its changes arrive late', name),
            coalesce(first_mend, format('alter publication supabase_realtime add table %s;', relation))
        ));
    end if;
    if not publication.all_verbs then
        return jsonb_build_array(livetables.problem(
            'not_published', format('The publication supabase_realtime does not have insert, update and delete, so changes of %s are lost', name),
            'alter publication supabase_realtime set (publish = ''insert, update, delete, truncate'');'
        ));
    end if;
    select prattrs, prqual into published from pg_catalog.pg_publication_rel
    where prpubid = publication.oid and prrelid = relation;
    if published.prqual is not null or (
        published.prattrs is not null and cardinality(published.prattrs::int2[]) < cardinality(columns)
    ) then
        return jsonb_build_array(livetables.problem(
            'not_published', format('The publication supabase_realtime has only a part of %s', name),
            format(
                'alter publication supabase_realtime drop table %s; alter publication supabase_realtime add table %s;', relation, relation
            )
        ));
    end if;
    return null;
end
$$;

create or replace function livetables.describe_one(table_name text) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
    relation constant regclass := livetables.find_table(table_name);
    nearest text;
    seen jsonb;
    who jsonb;
    is_public boolean;
    people text[];
    identity text[];
begin
    -- A table that the API does not show is none, as in the answers of REST.
    if relation is null or not (
        has_any_column_privilege('anon', relation, 'select') or has_any_column_privilege('authenticated', relation, 'select')
        or livetables.watched(relation) is not null or current_setting('role', true) is distinct from 'anon'
        and current_setting('role', true) is distinct from 'authenticated'
    ) then
        nearest := livetables.nearest_table(table_name);
        return jsonb_build_object(
            'name', table_name, 'key', '[]'::jsonb, 'version', null, 'visibility', 'public', 'filters', '[]'::jsonb,
            'columns', '{}'::jsonb, 'problems', jsonb_build_array(livetables.problem(
                'no_table',
                concat_ws(' ', format('There is no table %s in the schema public.', table_name), nearest),
                concat(
                    case when nearest is not null then 'Write that name, or: ' end,
                    format('create table public.%I (id uuid primary key default gen_random_uuid());', table_name)
                )
            ))
        );
    end if;
    seen := livetables.watched(relation);
    who := coalesce(seen -> 'who', '{}');
    is_public := case
        when seen is null then has_any_column_privilege('anon', relation, 'select') else who ?| array['everybody', 'where'] end;
    people := array(select jsonb_array_elements_text(who -> 'people'));
    identity := livetables.identity_of(relation);
    return jsonb_build_object(
        'name', (select relname from pg_catalog.pg_class where oid = relation),
        'key', coalesce(to_jsonb(livetables.key_of(relation)), '[]'),
        'version', seen -> 'version',
        'visibility', case
            when is_public and who ?| array['members', 'people', 'readers'] then 'both' when is_public then 'public' else 'user' end,
        -- Only where nobody else may see a row, and where a deletion passes the filter too.
        'filters', case
            when is_public or who ?| array['members', 'readers'] or not identity @> people then '[]' else to_jsonb(people)
        end,
        'columns', (
            select coalesce(jsonb_object_agg(attname, format_type(atttypid, null)), '{}') from pg_catalog.pg_attribute
            where attrelid = relation and attnum > 0 and not attisdropped
        ),
        'problems', livetables.problems_of(relation)
    );
end
$$;

create or replace function livetables.describe(tables text[] default null) returns jsonb
language sql stable set search_path = ''
as $$
    select coalesce(jsonb_agg(livetables.describe_one(name) order by place), '[]')
    from unnest(coalesce(tables, array(
        select class.relname::text from pg_catalog.pg_trigger join pg_catalog.pg_class as class on class.oid = tgrelid
        where tgname = 'livetables_log' and relnamespace = 'public'::regnamespace order by class.relname
    ))) with ordinality as each(name, place)
$$;

-- What keeps all tables from being live.
create or replace function livetables.problems_of_database() returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
    changes constant regprocedure := to_regprocedure('public.changes_since(text)');
    reader text;
    found jsonb := '[]';
begin
    if changes is null then
        return jsonb_build_array(livetables.problem(
            'no_changes_since', 'The function public.changes_since is missing, so nothing tells what was missed',
            'Run the migration that `python -m livetables init` has written again.'
        ));
    end if;
    foreach reader in array array['anon', 'authenticated'] loop
        if not has_function_privilege(reader, changes, 'execute') then
            found := found || livetables.problem(
                'no_changes_since', format('%s may not call public.changes_since', reader),
                format('grant execute on function public.changes_since(text) to %s;', reader)
            );
        end if;
    end loop;
    if current_setting('wal_level') <> 'logical' then
        found := found || livetables.problem(
            'not_published', format('wal_level is %s, so Realtime sends nothing', current_setting('wal_level')),
            'alter system set wal_level = logical; -- then restart Postgres'
        );
    end if;
    return found;
end
$$;

create or replace function public.livetables_tables(p_tables text[] default null) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
    if cardinality(p_tables) > 100 then
        raise exception using errcode = '22023', message = 'p_tables has at most 100 tables';
    end if;
    return jsonb_build_object(
        'database_version', livetables.database_version(),
        'problems', livetables.problems_of_database(),
        'tables', livetables.describe(p_tables)
    );
end
$$;
comment on function public.livetables_tables(text[]) is
    'livetables: how the watched tables, or those named, are kept live, and what keeps them from it. Never rows.';
revoke execute on function public.livetables_tables(text[]) from public, anon, authenticated, service_role;
grant execute on function public.livetables_tables(text[]) to anon, authenticated, service_role;

revoke execute on all functions in schema livetables from public, anon, authenticated, service_role;
notify pgrst, 'reload schema';
