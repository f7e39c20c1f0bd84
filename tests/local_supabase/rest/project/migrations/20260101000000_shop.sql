-- Tables of every kind that requests can meet. Everybody may use them, except `notes` (row-level security) and `locked`
-- (column privileges).


create table public.clients (id int primary key, name text not null);
create table public.projects (
    id int primary key,
    name text not null,
    client_id int references public.clients (id)
);
comment on table public.projects is 'What is being worked on';
create table public.tasks (id int primary key, name text, project_id int references public.projects (id));
create table public.people (id int primary key, name text unique);
create table public.people_tasks (
    person_id int references public.people (id),
    task_id int references public.tasks (id),
    primary key (person_id, task_id)
);
create table public.badges (person_id int primary key references public.people (id), label text);

insert into public.clients values (1, 'Microsoft'), (2, 'Apple');
insert into public.projects values
    (1, 'Windows 7', 1), (2, 'Windows 10', 1), (3, 'IOS', 2), (4, 'OSX', 2), (5, 'Orphan', null);
insert into public.tasks values
    (1, 'Design w7', 1), (2, 'Code w7', 1), (3, 'Design w10', 2), (4, 'Code w10', 2),
    (5, 'Design IOS', 3), (6, 'Code IOS', 3), (7, 'Design OSX', 4), (8, 'Code OSX', 4);
insert into public.people values (1, 'Angela'), (2, 'Michael'), (3, 'Dwight');
insert into public.people_tasks values (1, 1), (1, 2), (1, 3), (1, 4), (2, 5), (2, 6), (2, 7), (3, 1), (3, 5);
insert into public.badges values (1, 'gold'), (3, 'beet');

-- Two foreign keys between the same tables.
create table public.addresses (id int primary key, street text);
create table public.orders (
    id int primary key,
    name text,
    billing_id int constraint orders_billing_fkey references public.addresses (id),
    shipping_id int constraint orders_shipping_fkey references public.addresses (id)
);
insert into public.addresses values (1, 'Main St'), (2, 'Side St'), (3, 'Dead End');
insert into public.orders values (1, 'first', 1, 2), (2, 'second', 3, 3);

-- A table that refers to itself.
create table public.folders (id int primary key, name text, parent_id int references public.folders (id));
insert into public.folders values (1, 'root', null), (2, 'etc', 1), (3, 'home', 1), (4, 'ada', 3);

-- A composite foreign key.
create table public.rooms (building text, number int, seats int, primary key (building, number));
create table public.bookings (
    id int primary key, building text, number int, who text,
    foreign key (building, number) references public.rooms (building, number)
);
insert into public.rooms values ('A', 1, 10), ('A', 2, 20), ('B', 1, 30);
insert into public.bookings values (1, 'A', 1, 'Ann'), (2, 'B', 1, 'Ben'), (3, 'A', 1, 'Cid');

-- Views, and a view of a view.
create view public.projects_view as select id, name as title, client_id from public.projects;
create view public.open_projects as select id, title, client_id as customer from public.projects_view;
create view public.totals as select client_id, count(*) as projects from public.projects group by client_id;
create materialized view public.project_names as select id, name from public.projects;

-- One column of each type whose filters differ.
create type public.mood as enum ('sad', 'ok', 'happy');
create domain public.positive as int check (value > 0);
create table public.samples (
    id int primary key,
    flag boolean,
    amount numeric(8, 2),
    at timestamptz,
    day date,
    mood public.mood,
    short varchar(3),
    fixed char(4),
    tags text[],
    numbers int[],
    doc jsonb,
    raw json,
    span int4range,
    spans int4multirange,
    body text,
    search tsvector,
    code uuid,
    bits bit(3),
    score public.positive,
    nick text,
    bin bytea,
    addr inet,
    "Weird, name" text
);
insert into public.samples (
    id, flag, amount, at, day, mood, short, fixed, tags, numbers, doc, raw, span, spans, body, search, code, bits,
    score, nick, bin, addr, "Weird, name"
) values
    (1, true, 10.50, '2026-01-01 12:00+00', '2026-01-01', 'happy', 'abc', 'ab', '{a,b}', '{1,2}',
     '{"a": {"b": 1}, "list": [1, 2, 3], "name": "foo", "n": null}', '{"k": "v"}', '[1,10)', '{[1,3),[5,8)}',
     'The fat cats ate the rats', to_tsvector('english', 'The fat cats ate the rats'),
     '00000000-0000-0000-0000-000000000001', b'101', 5, 'Ada', '\x00ff', '10.0.0.1', 'x,y'),
    (2, false, -3, '2026-02-01 12:00+00', '2026-02-01', 'sad', 'xyz', 'cdef', '{c}', '{3}',
     '{"a": {"b": 2}, "list": [], "name": "bar"}', '{"k": "w"}', '[10,20)', '{}', 'No animals here',
     to_tsvector('english', 'No animals here'), '00000000-0000-0000-0000-000000000002', b'010', 7, 'bob',
     '\x', '10.0.0.2', 'a"b'),
    (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
     null, null, null, null);

-- A computed column, and computed relationships to one and to many rows.
create function public.shout(public.projects) returns text stable language sql as $$ select upper($1.name) $$;
create function public.customer(public.projects) returns setof public.clients rows 1 stable language sql as $$
    select * from public.clients where id = $1.client_id
$$;
create function public.all_projects(public.clients) returns setof public.projects stable language sql as $$
    select * from public.projects where client_id = $1.id
$$;

-- Tables to write to.
create table public.things (
    id int generated by default as identity primary key,
    name text unique,
    amount int default 7,
    note text,
    made timestamptz default now()
);
create table public.pairs (a int, b int, value text, primary key (a, b));
create table public.keyless (name text, value int);
create table public.always (id int generated always as identity primary key, doubled int generated always as (n * 2) stored, n int);
create table public.checked (
    id int primary key, n int check (n < 10), short varchar(3), mood public.mood, score public.positive,
    client_id int references public.clients (id)
);
create table public.deferred (id int primary key, other int references public.deferred (id) deferrable initially deferred);

-- Row-level security: everybody reads rows that are not secret; owners read and write their own.
create table public.notes (id int generated by default as identity primary key, owner uuid default auth.uid(), secret boolean default false, body text);
alter table public.notes enable row level security;
create policy "read" on public.notes for select using (not secret or owner = auth.uid());
create policy "write" on public.notes for insert to authenticated with check (owner = auth.uid());
create policy "change" on public.notes for update to authenticated using (owner = auth.uid());
insert into public.notes (owner, secret, body) values (null, false, 'public'), (null, true, 'hidden');

create table public.locked (id int primary key, open_column int, closed_column int);
revoke all on public.locked from anon, authenticated;
grant select (id, open_column) on public.locked to anon;
insert into public.locked values (1, 2, 3);

create schema hidden;
create table hidden.secrets (id int primary key, project_id int references public.projects (id));
create view public.secret_ids as select id, project_id from hidden.secrets;
insert into hidden.secrets values (1, 1);
