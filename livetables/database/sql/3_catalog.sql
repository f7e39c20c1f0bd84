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
