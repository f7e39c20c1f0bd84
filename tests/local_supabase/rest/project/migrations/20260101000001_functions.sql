-- Functions with every kind of parameter and result.

create function public.add(a int, b int) returns int immutable language sql as $$ select a + b $$;
create function public.greet(name text default 'world', mark text default '!') returns text stable language sql as $$
    select 'hello ' || name || mark
$$;
create function public.nothing() returns void language sql as $$ select $$;
create function public.no_value() returns int stable language sql as $$ select null::int $$;
create function public.one_project(wanted int) returns public.projects stable language sql as $$
    select * from public.projects where id = wanted
$$;
create function public.projects_of(client int) returns setof public.projects stable language sql as $$
    select * from public.projects where client_id = client
$$;
create function public.counts() returns table (client text, projects bigint) stable language sql as $$
    select c.name, count(*) from public.clients c join public.projects p on p.client_id = c.id group by 1 order by 1
$$;
create function public.numbers() returns setof int stable language sql as $$ select generate_series(1, 5) $$;
create function public.split_out(whole int, out tens int, out ones int) immutable language sql as $$
    select whole / 10, whole % 10
$$;
create function public.one_out(out answer int) immutable language sql as $$ select 42 $$;
create function public.as_json() returns jsonb stable language sql as $$ select '{"a": [1, 2]}'::jsonb $$;
create function public.echo_json(jsonb) returns jsonb immutable language sql as $$ select $1 $$;
create function public.echo_text(text) returns text immutable language sql as $$ select $1 $$;
create function public.echo_bytes(bytea) returns bytea immutable language sql as $$ select $1 $$;
create function public.takes_array(items int[]) returns int immutable language sql as $$ select cardinality(items) $$;
create function public.takes_json(doc json) returns text immutable language sql as $$ select doc ->> 'a' $$;
create function public.joined(variadic parts text[]) returns text immutable language sql as $$
    select array_to_string(parts, '-')
$$;
create function public.kinds(c char, v varchar, m public.mood, u uuid default null) returns text immutable language sql as $$
    select c || '/' || v || '/' || m
$$;
create function public.twice(n int) returns text immutable language sql as $$ select 'int ' || n $$;
create function public.twice(t text, extra text) returns text immutable language sql as $$ select 'two ' || t || extra $$;
create function public.unclear(a int) returns text immutable language sql as $$ select 'int' $$;
create function public.unclear(a text) returns text immutable language sql as $$ select 'text' $$;
create function public.make_thing(name text) returns public.things language sql as $$
    insert into public.things (name) values (name) returning *
$$;
create function public.make_things(names text[]) returns setof public.things language sql as $$
    insert into public.things (name) select unnest(names) returning *
$$;
create function public.stable_write() returns int stable language sql as $$ select 1 $$;
create function public.sneaky() returns int stable language plpgsql as $$
begin
    insert into public.keyless values ('sneaky', 1);
    return 1;
end $$;
create function public.fail(code text, message text default 'it failed') returns void language plpgsql as $$
begin
    raise exception using errcode = code, message = message, detail = 'the detail', hint = 'the hint';
end $$;
create function public.own_error() returns void language plpgsql as $$
begin
    raise sqlstate 'PGRST' using
        message = json_build_object('code', '123', 'message', 'Payment Required', 'details', 'Quota', 'hint', 'Upgrade')::text,
        detail = json_build_object('status', 402, 'headers', json_build_object('X-Powered-By', 'Nerds'))::text;
end $$;
create function public.bad_own_error() returns void language plpgsql as $$
begin
    raise sqlstate 'PGRST' using message = 'not json', detail = '{}';
end $$;
create function public.teapot() returns json language plpgsql as $$
begin
    perform set_config('response.status', '418', true);
    perform set_config('response.headers', '[{"X-Tea": "green"}, {"Cache-Control": "no-store"}]', true);
    return '{"tea": true}'::json;
end $$;
create function public.bad_headers() returns void language sql as $$ select set_config('response.headers', '{"a": 1}', true) $$;
create function public.bad_status() returns void language sql as $$ select set_config('response.status', 'blue', true) $$;
create function public.setting(name text) returns text stable language sql as $$ select current_setting(name, true) $$;
create function public.who() returns json stable language sql as $$
    select json_build_object('user', current_user, 'role', auth.role(), 'uid', auth.uid())
$$;
create function public.slow() returns void language sql set statement_timeout = '100ms' as $$ select pg_sleep(5) $$;
create function public.denied() returns int stable language sql as $$ select 1 $$;
revoke all on function public.denied() from public, anon, authenticated;
create function public.cursor_rows() returns setof record language sql stable as $$ select 1, 2 $$;
create function public.trigger_one() returns trigger language plpgsql as $$ begin return new; end $$;
create domain public."text/html" as text;
create domain public."image/png" as bytea;
create function public.page() returns public."text/html" stable language sql as $$ select '<p>hi</p>' $$;
create function public.pixel() returns public."image/png" stable language sql as $$ select '\x89504e4700'::bytea $$;

-- A domain representation: a number in the database, `#rrggbb` in JSON and URLs.
create domain public.color as int check (value between 0 and 16777215);
create function public.color_json(public.color) returns json immutable language sql as $$
    select to_json('#' || lpad(to_hex($1), 6, '0'))
$$;
create function public.color_from_text(text) returns public.color immutable language sql as $$
    select (('x' || lpad(ltrim($1, '#'), 8, '0'))::bit(32)::int)::public.color
$$;
create function public.color_from_json(json) returns public.color immutable language sql as $$
    select public.color_from_text($1 #>> '{}')
$$;
create cast (public.color as json) with function public.color_json(public.color) as implicit;
create cast (json as public.color) with function public.color_from_json(json) as implicit;
create cast (text as public.color) with function public.color_from_text(text) as implicit;
create table public.paints (id int primary key, shade public.color, client_id int references public.clients (id));
insert into public.paints values (1, 255, 1), (2, 65280, 2), (3, null, null);

create function public.leave_a_mark() returns void language sql as $$ insert into public.keyless values ('mark', 1) $$;
