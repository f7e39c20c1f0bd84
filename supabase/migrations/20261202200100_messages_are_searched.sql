-- Search in messages: the words of a query are the beginnings of words of a message, without accents and in either case.
-- It is plain full text search with the dictionary `simple`, because a room speaks several languages and a project need not
-- have the extensions unaccent and pg_trgm. `ui/base/folding.py` writes the same words plainly for what a page has loaded.

create function private.search_text(said text) returns text
language plpgsql immutable strict parallel safe set search_path = ''
as $$
begin
    -- Compatible letters, then no accents, then the letters that have no parts, then spaces for all marks: the parser of full text
    -- search would take `either/or` for the name of a file, and `ann@tavern` for an address.
    return translate(
        replace(replace(replace(replace(
            regexp_replace(lower(normalize(said, nfkd)), '[\u0300-\u036f]', '', 'g'),
            'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        'ðøđħıłŧ!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~‐‑‒–—‘’‚“”„′‹›«»¿¡' || e'\t\n\r',
        'dodhilt' || repeat(' ', 60)
    );
end
$$;
comment on function private.search_text(text) is 'A text as people type it to look for it: small letters without accents, and no marks.';
revoke execute on function private.search_text(text) from public, anon, authenticated, service_role;
grant execute on function private.search_text(text) to anon, authenticated, service_role;

-- The body is bound to what it names when it is created: its callers may not name anything of the schema.
create function private.search_words(said text) returns tsvector
language sql immutable strict parallel safe set search_path = ''
return to_tsvector('pg_catalog.simple'::regconfig, private.search_text(said));
comment on function private.search_words(text) is 'The words of a text, for search.';
revoke execute on function private.search_words(text) from public, anon, authenticated, service_role;
grant execute on function private.search_words(text) to anon, authenticated, service_role;

create index tavern_messages_words_idx on public.tavern_messages using gin (private.search_words(body));

-- Of private messages a person's own are read, by the indexes of the two parties, and no other: row level security comes before
-- any search. Each list is materialized, so that its order is never looked for by reading the whole table.
create function public.search_messages(p_query text) returns json
language sql stable security invoker set search_path = ''
return (
    with asked as materialized (
        select to_tsquery('pg_catalog.simple'::regconfig, string_agg(quote_literal(word) || ':*', ' & ')) as words
        from (
            select each.word
            from unnest(string_to_array(private.search_text(left(p_query, 200)), ' ')) as each(word)
            where each.word <> '' limit 12
        ) as first_words
    ), said as materialized (
        select message.id, message.author_id, message.body, message.created_at
        from public.tavern_messages as message
        where private.search_words(message.body) @@ (select asked.words from asked)
    ), own as materialized (
        select message.id, message.sender_id, message.recipient_id, message.body, message.created_at
        from public.private_messages as message
        where message.sender_id = (select auth.uid()) or message.recipient_id = (select auth.uid())
        order by message.created_at desc limit 20000
    ), written as materialized (
        select own.* from own where private.search_words(own.body) @@ (select asked.words from asked)
    )
    select json_build_object(
        'tavern_messages', (
            select coalesce(json_agg(row_to_json(newest)), '[]')
            from (select said.* from said order by said.created_at desc, said.id desc limit 20) as newest
        ),
        'private_messages', (
            select coalesce(json_agg(row_to_json(newest)), '[]')
            from (select written.* from written order by written.created_at desc, written.id desc limit 20) as newest
        )
    )
);
comment on function public.search_messages(text) is
    'The newest messages with all words of a query that the caller may read: 20 of the common room, and 20 of their own.';
revoke execute on function public.search_messages(text) from public, anon, authenticated, service_role;
grant execute on function public.search_messages(text) to anon, authenticated;
