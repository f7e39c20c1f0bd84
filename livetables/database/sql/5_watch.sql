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
