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
