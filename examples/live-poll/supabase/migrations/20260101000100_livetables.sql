-- livetables: database version 1
-- Written by `python -m livetables init`. It may be run again, and upgrades an older version. Do not edit it:
-- a newer version of livetables brings a new file. To make a table live, add a migration with
-- `select livetables.watch('name');`.

-- The log of changes, written by triggers in the transaction that makes a change. It has keys only, never content.

create schema if not exists livetables;
revoke all on schema livetables from public;
comment on schema livetables is 'Live tables: the log of changes and its triggers. Never expose it through the API.';

do $$
begin
    if to_regprocedure('livetables.database_version()') is not null then
        if livetables.database_version() > 1 then
            raise exception 'The database has livetables % already, which is newer than 1', livetables.database_version()
                using hint = 'Upgrade the package streamlit-livetables.';
        end if;
    elsif to_regprocedure('public.changes_since(text)') is not null then
        raise exception 'There is a function public.changes_since(text) already, and it is not of livetables'
            using hint = 'Rename it, or drop it, and run this again.';
    end if;
end
$$;

create or replace function livetables.database_version() returns int
language sql immutable set search_path = ''
as 'select 1';

create table if not exists livetables.change_log (
    id bigint generated always as identity primary key,
    xid xid8 not null default pg_current_xact_id(),
    table_name text not null,
    row_key jsonb,
    op text not null check (op in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    audience text[],
    version bigint,
    changed_at timestamptz not null default now()
);
comment on table livetables.change_log is 'One row for every change of a watched table, written by triggers only.';
comment on column livetables.change_log.xid is
    'The transaction that made the change. A time or an id as cursor would lose what commits late.';
comment on column livetables.change_log.audience is
    'Who may know of it: null for everybody, else ''members'' and ''user:<id>'' of the old and the new row.';
comment on column livetables.change_log.version is
    'Of deletions: the version that was deleted, where the table had a version column of its own.';

create index if not exists change_log_xid_idx on livetables.change_log (xid);
create index if not exists change_log_changed_at_idx on livetables.change_log (changed_at);
create index if not exists change_log_deleted_idx on livetables.change_log (table_name, row_key) where version is not null;

create table if not exists livetables.state (
    singleton boolean primary key default true check (singleton),
    complete_from xid8 not null default pg_current_xact_id(),
    retention interval not null default '7 days' check (retention >= interval '0')
);
comment on column livetables.state.complete_from is
    'No entry with this xid or a later one was ever trimmed: an older cursor has to load everything again.';
comment on column livetables.state.retention is 'How long the log is kept. Whoever was away for longer loads the tables again.';
insert into livetables.state default values on conflict do nothing;

create sequence if not exists livetables.versions as bigint start 2;
comment on sequence livetables.versions is
    'The versions of rows. One sequence for all, so that the version of a key grows also when it is deleted and inserted again.';

alter table livetables.change_log enable row level security;
alter table livetables.state enable row level security;
revoke all on all tables in schema livetables from public, anon, authenticated, service_role;
revoke all on all sequences in schema livetables from public, anon, authenticated, service_role;

-- Of a log that was emptied, no older cursor can be answered.
create or replace function livetables.forget_log() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    update livetables.state set complete_from = pg_snapshot_xmax(pg_current_snapshot());
    return null;
end
$$;
create or replace trigger forget_log after truncate on livetables.change_log
    for each statement execute function livetables.forget_log();

-- Arguments: who may know of a change, as JSON (see livetables.audience_of), then the columns of the key.
create or replace function livetables.log_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    who constant jsonb := tg_argv[0];
    before constant jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    after constant jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    is_public boolean := who ? 'everybody';
    row_key jsonb;
    audience text[] := '{}';
    readers text[];
begin
    if not coalesce(after, before) ?& (tg_argv[1:] || livetables.columns_of(who)) then
        raise exception 'livetables logs %.% by columns that it no longer has', tg_table_schema, tg_table_name
            using hint = format('Run: select livetables.watch(%L);', tg_table_name);
    end if;
    select jsonb_object_agg(col, coalesce(after, before) -> col) into row_key from unnest(tg_argv[1:]) as col;
    -- Both rows: whoever could see it must learn that it moved away.
    if not is_public and who ? 'where' then
        select bool_or(coalesce((state ->> col)::boolean, false)) into is_public
        from jsonb_array_elements_text(who -> 'where') as col
        cross join unnest(array[before, after]) as state;
    end if;
    if not is_public then
        if who ? 'members' then
            audience := array['members'];
        end if;
        if who ? 'people' then
            select audience || coalesce(array_agg(distinct 'user:' || (state ->> col)), '{}') into audience
            from jsonb_array_elements_text(who -> 'people') as col
            cross join unnest(array[before, after]) as state
            where state ->> col is not null;
        end if;
        if who ? 'readers' and tg_op <> 'INSERT' then
            execute format('select array_agg(distinct %L || person) from %s($1) as person', 'user:', who ->> 'readers')
            into readers using old;
            audience := audience || coalesce(readers, '{}');
        end if;
        if who ? 'readers' and tg_op <> 'DELETE' then
            execute format('select array_agg(distinct %L || person) from %s($1) as person', 'user:', who ->> 'readers')
            into readers using new;
            audience := audience || coalesce(readers, '{}');
        end if;
    end if;
    insert into livetables.change_log (table_name, row_key, op, audience, version)
    values (
        tg_table_name, row_key, tg_op, case when not is_public then audience end,
        case when tg_op = 'DELETE' and who ? 'version' then (before ->> (who ->> 'version'))::bigint end
    );
    if tg_op = 'UPDATE' and not coalesce(before @> row_key, false) then
        -- The key itself was changed: the row is gone under its old one.
        select jsonb_object_agg(col, before -> col) into row_key from unnest(tg_argv[1:]) as col;
        insert into livetables.change_log (table_name, row_key, op, audience)
        values (tg_table_name, row_key, 'DELETE', case when not is_public then audience end);
    end if;
    return null;
end
$$;

create or replace function livetables.columns_of(who jsonb) returns text[]
language sql immutable set search_path = ''
as $$
    select coalesce(array_agg(col), '{}')
    from jsonb_array_elements_text(coalesce(who -> 'people', '[]') || coalesce(who -> 'where', '[]')) as col
$$;

-- A truncated table says nothing of its rows, so everybody loads the tables again.
create or replace function livetables.log_truncate() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into livetables.change_log (table_name, op) values (tg_table_name, 'TRUNCATE');
    return null;
end
$$;

-- Arguments: the version column; 'own' if it is the project's own; then, for that, the columns of the key.
create or replace function livetables.set_version() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    col constant text := tg_argv[0];
    key jsonb;
    least bigint;
begin
    if tg_argv[1] is distinct from 'own' then
        if col = 'version' then
            new.version := nextval('livetables.versions');
            return new;
        end if;
        return jsonb_populate_record(new, jsonb_build_object(col, nextval('livetables.versions')));
    end if;
    -- This trigger comes last by its name: it only adds what the project's own triggers have left undone.
    if tg_op = 'UPDATE' then
        least := coalesce((to_jsonb(old) ->> col)::bigint, 0) + 1;
    else
        select jsonb_object_agg(name, to_jsonb(new) -> name) into key from unnest(tg_argv[2:]) as name;
        select coalesce(max(entry.version), 0) + 1 into least from livetables.change_log as entry
        where entry.table_name = tg_table_name and entry.row_key = key and entry.version is not null;
    end if;
    if coalesce((to_jsonb(new) ->> col)::bigint, 0) < least then
        return jsonb_populate_record(new, jsonb_build_object(col, least));
    end if;
    return new;
end
$$;

-- Deletes at most so many expired entries; returns how many.
create or replace function livetables.trim_batch(older_than timestamptz, at_most bigint) returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
    trimmed bigint;
    newest xid8;
begin
    perform from livetables.state for update skip locked;
    if not found then
        return 0; -- somebody else is at it
    end if;
    with expired as (
        select id from livetables.change_log where changed_at < older_than order by changed_at limit at_most
    ), gone as (
        delete from livetables.change_log as entry using expired where entry.id = expired.id returning entry.xid
    )
    select count(*), max(gone.xid) into trimmed, newest from gone;
    update livetables.state
    set complete_from = case
        -- Restored from another cluster, whose numbers mean nothing here: begin anew.
        when complete_from > pg_current_xact_id() or newest > pg_current_xact_id() then pg_current_xact_id()
        else greatest(complete_from, (newest::text::numeric + 1)::text::xid8)
    end
    where newest is not null or complete_from > pg_current_xact_id();
    return trimmed;
end
$$;

create or replace function livetables.trim(retention interval default null) returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
    kept constant interval := coalesce(retention, (select state.retention from livetables.state));
begin
    if kept < interval '0' then
        raise exception using errcode = '22023', message = 'The retention of the log is an interval of zero or more.';
    end if;
    return livetables.trim_batch(now() - kept, 9223372036854775807);
end
$$;
comment on function livetables.trim(interval) is
    'Forgets changes older than this (by default livetables.state.retention) and says how many. Not for the API.';

-- Without a scheduler the log keeps itself short: about one statement in 500 takes along up to 1,000 expired entries.
create or replace function livetables.trim_now_and_then() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if random() < 0.002 then
        perform livetables.trim_batch(now() - (select retention from livetables.state), 1000);
    end if;
    return null;
end
$$;
create or replace trigger trim_now_and_then after insert on livetables.change_log
    for each statement execute function livetables.trim_now_and_then();

-- What the engine calls: what the caller may know to have changed since a cursor. Keys only; the rows are then read under
-- row-level security.

create or replace function public.changes_since(p_cursor text default null) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
    -- A stable function reads everything with its caller's one snapshot, this one. It is the next cursor: what is not
    -- visible in it is what comes next, however late it commits, and each change comes once.
    snapshot constant pg_snapshot := pg_current_snapshot();
    me constant text := nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';
    mine constant text[] := case when me is not null then array['members', 'user:' || me] else '{}' end;
    -- The setting, unlike current_user, keeps the caller's role. This one reads every row anyway.
    reads_all constant boolean := current_setting('role', true) = 'service_role';
    own constant xid8 := pg_current_xact_id_if_assigned();
    since pg_snapshot;
    next_cursor text := snapshot::text;
    complete_from xid8;
    changes jsonb := '[]';
    resync boolean := false;
    -- More keys than this cost more to read one by one than the tables do.
    most constant int := 10000;
begin
    if p_cursor is not null then
        -- Twenty digits for each transaction that may run at once are much less than this.
        if length(p_cursor) < 100000 and p_cursor ~ '^[0-9]{1,19}:[0-9]{1,19}:([0-9]{1,19}(,[0-9]{1,19})*)?$' then
            begin
                since := p_cursor::pg_snapshot;
            exception when data_exception then
                since := null;
            end;
        end if;
        select state.complete_from into complete_from from livetables.state;
        -- Not ours, from the future of a database that was restored, or older than what is kept. (A dump restored
        -- elsewhere brings a complete_from of its old cluster, which says nothing until trimming sets it right.)
        resync := since is null
            or pg_snapshot_xmax(since) > pg_snapshot_xmax(snapshot)
            or (pg_snapshot_xmin(since) < complete_from and complete_from <= pg_snapshot_xmax(snapshot))
            or exists (
                select from livetables.change_log as entry
                where entry.xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(entry.xid, since)
                    and entry.op = 'TRUNCATE'
            );
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
            from livetables.change_log as entry
            where entry.xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(entry.xid, since)
                and (entry.audience is null or entry.audience && mine or reads_all)
            order by entry.table_name, entry.row_key, entry.id desc
            limit most + 1
        ) as latest;
        if jsonb_array_length(changes) > most then
            resync := true;
            changes := '[]';
        end if;
    end if;
    if own < pg_snapshot_xmax(snapshot) then
        -- A snapshot never lists the transaction that takes it, which may have more to write.
        select format(
            '%s:%s:%s', least(own, pg_snapshot_xmin(snapshot)), pg_snapshot_xmax(snapshot), string_agg(xid::text, ',' order by xid)
        ) into next_cursor
        from (select pg_snapshot_xip(snapshot) as xid union select own) as running;
    end if;
    return jsonb_build_object('cursor', next_cursor, 'resync', resync, 'changes', changes);
end
$$;
comment on function public.changes_since(text) is
    'livetables: the keys of what the caller may know to have changed since a cursor. Without a cursor: the present one.';
revoke execute on function public.changes_since(text) from public, anon, authenticated, service_role;
grant execute on function public.changes_since(text) to anon, authenticated, service_role;

-- What the catalog says of a table.

create or replace function livetables.find_table(table_name text) returns regclass
language sql stable set search_path = ''
as $$ select to_regclass(format('public.%I', regexp_replace(table_name, '^public\.', ''))) $$;

create or replace function livetables.table_of(table_name text) returns regclass
language plpgsql stable set search_path = ''
as $$
declare
    found constant regclass := livetables.find_table(table_name);
begin
    if found is null then
        raise exception using errcode = '42P01',
            message = format('There is no table %s in the schema public.', table_name),
            hint = coalesce(livetables.nearest_table(table_name), 'Create it first.');
    end if;
    return found;
end
$$;

-- The name of the table that is spelled most like this one (by pairs of letters), as a question; null if there is none.
create or replace function livetables.nearest_table(name text) returns text
language plpgsql stable set search_path = ''
as $$
declare
    pairs constant text[] := array(
        select distinct substr('  ' || lower(name) || ' ', at, 2) from generate_series(1, length(name) + 2) as at
        where length(name) < 64
    );
begin
    return (
        select format('Did you mean %s?', relation.relname)
        from pg_catalog.pg_class as relation
        cross join lateral (
            select 2.0 * count(*) / (cardinality(pairs) + length(relation.relname) + 2) as much
            from unnest(pairs) as pair where strpos('  ' || lower(relation.relname) || ' ', pair) > 0
        ) as alike
        where relation.relnamespace = 'public'::regnamespace and relation.relkind in ('r', 'p', 'v', 'm') and alike.much > 0.4
            and (
                has_any_column_privilege('anon', relation.oid, 'select')
                or has_any_column_privilege('authenticated', relation.oid, 'select')
            )
        order by alike.much desc, relation.relname
        limit 1
    );
end
$$;

create or replace function livetables.key_of(relation regclass) returns text[]
language sql stable set search_path = ''
as $$
    select array_agg(attribute.attname::text order by place)
    from pg_catalog.pg_index as idx
    cross join unnest(idx.indkey::int2[]) with ordinality as part(attnum, place)
    join pg_catalog.pg_attribute as attribute on attribute.attrelid = idx.indrelid and attribute.attnum = part.attnum
    where idx.indrelid = relation and idx.indisprimary
$$;

create or replace function livetables.trigger_of(relation regclass, name text, out arguments text[], out enabled boolean)
returns setof record
language sql stable set search_path = ''
as $$
    select
        array(
            -- Arguments are stored with a null byte after each, which no text may hold.
            select convert_from(decode(part, 'hex'), getdatabaseencoding())
            from regexp_split_to_table(regexp_replace(encode(tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 ')
                with ordinality as each(part, place)
            where place <= tgnargs
            order by place
        ),
        tgenabled in ('O', 'A')
    from pg_catalog.pg_trigger
    where tgrelid = relation and tgname = name and not tgisinternal
$$;

-- What the triggers of a watched table say of it, null if it is not watched:
-- {"who": {...}, "key": [...], "version": text, "own": boolean, "enabled": boolean}.
create or replace function livetables.watched(relation regclass) returns jsonb
language sql stable set search_path = ''
as $$
    select jsonb_build_object(
        'who', logs.arguments[1]::jsonb,
        'key', to_jsonb(logs.arguments[2:]),
        'version', versions.arguments[1],
        'own', coalesce(versions.arguments[2] = 'own', false),
        'enabled', logs.enabled and coalesce(versions.enabled, false) and coalesce(truncates.enabled, false)
    )
    from livetables.trigger_of(relation, 'livetables_log') as logs
    left join livetables.trigger_of(relation, 'zz_livetables_version') as versions on true
    left join livetables.trigger_of(relation, 'livetables_truncate') as truncates on true
$$;

-- Who may know of a change of a table, as JSON. Any of:
-- {"everybody": true}; {"members": true}: whoever is signed in; {"people": [column, ...]}: whose ids are in these columns;
-- {"where": [column, ...]}: everybody, of rows of which such a boolean column is true;
-- {"readers": function}: whose ids the function returns for the row.

-- What a policy's condition says of the readers; null if that is not simple.
create or replace function livetables.readers_in(condition text) returns jsonb
language plpgsql immutable set search_path = ''
as $$
declare
    uid constant text := '(?:auth\.uid\(\)|\(auth\.uid\(\)\)::text|\(auth\.jwt\(\) ->> ''sub''::text\))';
    role constant text := 'auth\.role\(\)';
    col constant text := '("[^"]+"|[a-z_][a-z0-9_]*)';
    -- In a subquery they are evaluated once a statement, which is the usual way to write them.
    plain constant text := regexp_replace(
        regexp_replace(condition, '\( SELECT (' || uid || ')(?: AS [^()]+)?\)', 'auth.uid()', 'g'),
        '\( SELECT (' || role || ')(?: AS [^()]+)?\)', 'auth.role()', 'g'
    );
    every constant boolean := plain ~ ' AND ';
    part text;
    found text;
    people text[] := '{}';
    flags text[] := '{}';
    members boolean := false;
begin
    if plain = 'true' then
        return '{"everybody": true}';
    end if;
    if every and plain ~ ' OR ' then
        return null;
    end if;
    foreach part in array regexp_split_to_array(plain, ' OR | AND ') loop
        found := coalesce(
            (regexp_match(part, '^\(*' || uid || ' = ' || col || '\)*$'))[1],
            (regexp_match(part, '^\(*' || col || ' = ' || uid || '\)*$'))[1]
        );
        if found is not null then
            people := people || (parse_ident(found))[1];
        elsif part ~ ('^\(*' || role || ' = ''authenticated''::text\)*$') then
            members := true;
        elsif every then
            continue; -- It only takes away from the others.
        elsif part ~ ('^\(*' || col || '\)*(?: = true| IS TRUE)?\)*$') then
            flags := flags || (parse_ident((regexp_match(part, '^\(*' || col))[1]))[1];
        else
            return null;
        end if;
    end loop;
    if every then
        -- All must hold, so the condition that names a person is enough.
        return case when people <> '{}' then jsonb_build_object('people', people[1:1]) end;
    end if;
    return jsonb_strip_nulls(jsonb_build_object(
        'people', case when people <> '{}' then to_jsonb(people) end,
        'where', case when flags <> '{}' then to_jsonb(flags) end,
        'members', case when members then true end
    ));
end
$$;

create or replace function livetables.audience_of_policies(relation regclass) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
    name constant text := (select relname from pg_catalog.pg_class where oid = relation);
    anon constant boolean := has_any_column_privilege('anon', relation, 'select');
    members constant boolean := has_any_column_privilege('authenticated', relation, 'select');
    policy record;
    who jsonb := '{}';
    narrowed boolean := false;
    readable boolean := false;
    simple boolean := true;
begin
    if not anon and not members then
        raise exception 'Nobody may select from %', relation
            using hint = format('Run: grant select on %s to anon, authenticated;', relation);
    end if;
    if not (select relrowsecurity from pg_catalog.pg_class where oid = relation) then
        return case when anon then '{"everybody": true}' else '{"members": true}' end;
    end if;
    for policy in
        select
            polpermissive as permissive,
            livetables.readers_in(pg_get_expr(polqual, polrelid)) as readers,
            anon and polroles && array[0::oid, 'anon'::regrole] as for_anon
        from pg_catalog.pg_policy
        where polrelid = relation and polcmd in ('r', '*')
            and polroles && array[0::oid, 'anon'::regrole, 'authenticated'::regrole]
    loop
        if not policy.permissive then
            narrowed := true;
            continue;
        end if;
        readable := true;
        if not policy.for_anon and policy.readers ? 'everybody' then
            who := who || '{"members": true}';
        elsif policy.readers is null or (not policy.for_anon and policy.readers ? 'where') then
            simple := false;
        else
            who := livetables.either(who, policy.readers);
        end if;
    end loop;
    if not readable then
        raise exception '% has no policy for SELECT, so nobody can read it', relation
            using hint = format('Run: create policy "Live for everybody" on %s for select using (true);', relation);
    end if;
    if not simple or (narrowed and who ?| array['everybody', 'members', 'where']) then
        raise exception 'Who may know of changes of % cannot be read from its policies', relation
            using hint = format(
                'Say it: select livetables.watch(%L, visible_to => ''everybody''), or ''members'', or the columns that hold'
                ' the readers'' ids, or ''function()'' that returns them for a row.',
                name
            );
    end if;
    return case when who ? 'everybody' then '{"everybody": true}' else who end;
end
$$;

create or replace function livetables.either(one jsonb, other jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
    select coalesce(
        jsonb_object_agg(
            name,
            case when jsonb_typeof(coalesce(one -> name, other -> name)) <> 'array' then coalesce(one -> name, other -> name)
            else (
                select jsonb_agg(distinct value)
                from jsonb_array_elements(coalesce(one -> name, '[]') || coalesce(other -> name, '[]')) as value
            ) end
        ),
        '{}'
    )
    from (select jsonb_object_keys(one) as name union select jsonb_object_keys(other)) as names
$$;

-- Reads the argument `visible_to` of livetables.watch.
create or replace function livetables.audience_of(relation regclass, visible_to text) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
    part text;
    who jsonb := '{}';
    kind text;
    reader text;
begin
    foreach part in array regexp_split_to_array(btrim(visible_to), '\s*,\s*') loop
        if part in ('everybody', 'members') then
            who := who || jsonb_build_object(part, true);
        elsif part ~ '\(\)$' then
            reader := (
                select format('%I.%I', pronamespace::regnamespace, proname) from pg_catalog.pg_proc
                where oid = to_regprocedure(format(
                    '%s(%s)',
                    case when part ~ '\.' then '' else 'public.' end || rtrim(part, '()'), relation
                ))
            );
            if reader is null then
                raise exception using errcode = '42883',
                    message = format('There is no function %s that takes a row of %s', part, relation),
                    hint = format('Run: create function public.%s(item %s) returns setof uuid language sql stable as $f$ ... $f$;', rtrim(part, '()'), relation);
            end if;
            who := who || jsonb_build_object('readers', reader);
        else
            kind := (
                select format_type(atttypid, null) from pg_catalog.pg_attribute
                where attrelid = relation and attname = part and attnum > 0 and not attisdropped
            );
            if kind is null or kind not in ('boolean', 'uuid', 'text', 'character varying') then
                raise exception using errcode = '42703',
                    message = format(
                        'visible_to: %s is neither everybody, nor members, nor a column of %s that holds ids or is boolean', part, relation
                    );
            end if;
            who := livetables.either(
                who, jsonb_build_object(case when kind = 'boolean' then 'where' else 'people' end, array[part])
            );
        end if;
    end loop;
    return case when who ? 'everybody' then '{"everybody": true}' else who end;
end
$$;

-- Makes a table live. It may be repeated, and then brings everything up to date. Returns what it found and did.
create or replace function livetables.watch(
    table_name text, visible_to text default null, version_column text default 'version'
) returns text
language plpgsql set search_path = ''
as $$
declare
    relation constant regclass := livetables.table_of(table_name);
    key constant text[] := livetables.key_of(relation);
    before constant jsonb := livetables.watched(relation);
    kind "char";
    who jsonb;
    version_type text;
    own boolean;
    published boolean;
begin
    select relkind into kind from pg_catalog.pg_class where oid = relation;
    if kind <> 'r' then
        raise exception using errcode = '42809',
            message = format('%s is not an ordinary table', relation),
            hint = case when kind in ('v', 'm') then 'Watch the tables behind the view.'
                else 'Realtime does not stream it under this name. Watch its partitions.' end;
    end if;
    if key is null then
        raise exception using errcode = '42P16',
            message = format('%s has no primary key', relation),
            hint = format('Run: alter table %s add column id uuid primary key default gen_random_uuid();', relation);
    end if;
    who := case when visible_to is null then livetables.audience_of_policies(relation)
        else livetables.audience_of(relation, visible_to) end;

    select format_type(atttypid, null) into version_type from pg_catalog.pg_attribute
    where attrelid = relation and attname = version_column and attnum > 0 and not attisdropped;
    if version_type is null then
        -- A constant as default: existing rows need not be rewritten.
        execute format('alter table %s add column %I bigint not null default 1', relation, version_column);
    elsif version_type not in ('bigint', 'integer', 'smallint') then
        raise exception using errcode = '42804',
            message = format('The column %I of %s is %s, not a whole number', version_column, relation, version_type),
            hint = format('Name another one: select livetables.watch(%L, version_column => ''row_version'');', table_name);
    end if;
    own := version_type is not null and not (coalesce(before ->> 'version' = version_column and not (before -> 'own')::boolean, false));
    if own then
        who := who || jsonb_build_object('version', version_column);
    end if;

    published := livetables.publish(relation) or coalesce((before -> 'who' -> 'published')::boolean, false);
    who := who || case when published then '{"published": true}'::jsonb else '{}' end;
    perform livetables.remove_triggers(relation);
    -- Its name comes last, as triggers run in the order of their names: it completes what the project's own have done.
    execute format(
        'create trigger zz_livetables_version before insert or update on %s for each row execute function livetables.set_version(%s)',
        relation, livetables.literals(array[version_column] || case when own then array['own'] || key end)
    );
    execute format(
        'create trigger livetables_log after insert or update or delete on %s for each row execute function livetables.log_change(%s)',
        relation, livetables.literals(array[who::text] || key)
    );
    execute format(
        'create trigger livetables_truncate after truncate on %s for each statement execute function livetables.log_truncate()',
        relation
    );
    perform livetables.identify(relation, key, who);
    -- REST knows the columns of a table from its schema cache.
    notify pgrst, 'reload schema';
    return format(
        '%s: %s; key %s; version %s', relation, livetables.told(who), array_to_string(key, ', '), version_column
    );
end
$$;
comment on function livetables.watch(text, text, text) is
    'Makes a table live: version, log, publication and replica identity. May be repeated.';

create or replace function livetables.literals(texts text[]) returns text
language sql immutable set search_path = ''
as $$ select string_agg(quote_literal(item), ', ' order by place) from unnest(texts) with ordinality as each(item, place) $$;

create or replace function livetables.told(who jsonb) returns text
language sql immutable set search_path = ''
as $$
    select 'visible to ' || concat_ws(
        ', ',
        case when who ? 'everybody' then 'everybody' end,
        case when who ? 'members' then 'whoever is signed in' end,
        (select 'everybody where ' || string_agg(col, ' or ') from jsonb_array_elements_text(who -> 'where') as col),
        (select 'the people in ' || string_agg(col, ', ') from jsonb_array_elements_text(who -> 'people') as col),
        'whom ' || (who ->> 'readers') || '() returns'
    )
$$;

-- Adds the table to Realtime's publication. Returns whether it was not in it.
create or replace function livetables.publish(relation regclass) returns boolean
language plpgsql set search_path = ''
as $$
begin
    if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
        create publication supabase_realtime;
    end if;
    if livetables.is_published(relation) then
        return false;
    end if;
    execute format('alter publication supabase_realtime add table %s', relation);
    return true;
end
$$;

create or replace function livetables.is_published(relation regclass) returns boolean
language sql stable set search_path = ''
as $$
    select exists (
        select from pg_catalog.pg_publication_tables as published
        join pg_catalog.pg_class as class on class.relname = published.tablename
        join pg_catalog.pg_namespace as schema on schema.oid = class.relnamespace and schema.nspname = published.schemaname
        where published.pubname = 'supabase_realtime' and class.oid = relation
    )
$$;

-- Realtime decides the filter of a deletion by the columns of the replica identity, and asks no policy: the row is gone. So
-- the identity of a private row is its key and whose it is, and never what it says: with a full one, whoever has the public
-- key could put questions to private text as it is deleted. A choice of the project's own is left alone.
create or replace function livetables.identify(relation regclass, key text[], who jsonb) returns void
language plpgsql set search_path = ''
as $$
declare
    people constant text[] := array(select jsonb_array_elements_text(who -> 'people') order by 1);
    name constant text := (
        select case when length(relname) > 40 then left(relname, 20) || left(md5(relname), 20) else relname end
            || '_livetables_identity'
        from pg_catalog.pg_class where oid = relation
    );
    identity constant "char" := (select relreplident from pg_catalog.pg_class where oid = relation);
    ours constant boolean := livetables.identity_index(relation) = name;
begin
    if identity = 'n' or (identity = 'i' and livetables.identity_index(relation) is null) then
        execute format('alter table %s replica identity default', relation);
    elsif identity = 'f' or (identity = 'i' and not coalesce(ours, false)) then
        return;
    end if;
    if who ? 'everybody' or who ? 'where' or people = '{}' or exists (
        select from pg_catalog.pg_attribute where attrelid = relation and attname = any (people) and not attnotnull
    ) then
        if ours then
            execute format('alter table %s replica identity default', relation);
            execute format('drop index public.%I', name);
        end if;
        return;
    end if;
    if ours and livetables.identity_of(relation) @> (key || people) then
        return;
    end if;
    if ours then
        execute format('alter table %s replica identity default', relation);
    end if;
    execute format('drop index if exists public.%I', name);
    execute format(
        'create unique index %I on %s (%s)', name, relation,
        (select string_agg(format('%I', col), ', ') from unnest(key || array(select unnest(people) except select unnest(key))) as col)
    );
    execute format('alter table %s replica identity using index %I', relation, name);
end
$$;

create or replace function livetables.identity_index(relation regclass) returns text
language sql stable set search_path = ''
as $$
    select relname::text from pg_catalog.pg_index join pg_catalog.pg_class on pg_class.oid = indexrelid
    where indrelid = relation and indisreplident
$$;

-- The columns of the replica identity, which a deletion logs.
create or replace function livetables.identity_of(relation regclass) returns text[]
language sql stable set search_path = ''
as $$
    select case class.relreplident
        when 'd' then livetables.key_of(relation)
        when 'f' then array(
            select attname::text from pg_catalog.pg_attribute
            where attrelid = relation and attnum > 0 and not attisdropped
        )
        when 'i' then array(
            select attname::text from pg_catalog.pg_index join pg_catalog.pg_attribute on attrelid = indrelid and attnum = any (indkey::int2[])
            where indrelid = relation and indisreplident
        )
        else '{}'
    end
    from pg_catalog.pg_class as class where class.oid = relation
$$;

create or replace function livetables.remove_triggers(relation regclass) returns void
language plpgsql set search_path = ''
as $$
begin
    execute format('drop trigger if exists livetables_log on %s', relation);
    execute format('drop trigger if exists livetables_truncate on %s', relation);
    execute format('drop trigger if exists zz_livetables_version on %s', relation);
end
$$;

-- Undoes livetables.watch. The version column stays, as the app may use it; drop it yourself if you need it no more.
create or replace function livetables.unwatch(table_name text) returns void
language plpgsql set search_path = ''
as $$
declare
    relation constant regclass := livetables.table_of(table_name);
    before constant jsonb := livetables.watched(relation);
begin
    perform livetables.remove_triggers(relation);
    if (before -> 'who' -> 'published')::boolean and livetables.is_published(relation) then
        execute format('alter publication supabase_realtime drop table %s', relation);
    end if;
    if livetables.identity_index(relation) ~ '_livetables_identity$' then
        perform livetables.identify(relation, livetables.key_of(relation), '{"everybody": true}');
    end if;
    delete from livetables.change_log as entry
    using pg_catalog.pg_class as class
    where class.oid = relation and entry.table_name = class.relname;
end
$$;
comment on function livetables.unwatch(text) is 'Undoes livetables.watch. The version column stays.';

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
