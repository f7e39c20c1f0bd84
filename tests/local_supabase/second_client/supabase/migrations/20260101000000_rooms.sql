create table public.rooms (
    id bigint generated always as identity primary key,
    name text not null unique,
    tags text[] not null default '{}',
    details jsonb not null default '{}'
);
create table public.notes (
    id uuid primary key default gen_random_uuid(),
    room_id bigint not null references public.rooms (id) on delete cascade,
    owner uuid not null default auth.uid() references auth.users (id),
    body text not null,
    secret boolean not null default false,
    created_at timestamptz not null default now()
);
alter table public.rooms enable row level security;
alter table public.notes enable row level security;
create policy "rooms are public" on public.rooms for select using (true);
create policy "members make rooms" on public.rooms for insert to authenticated with check (true);
create policy "members change rooms" on public.rooms for update to authenticated using (true);
create policy "own or open" on public.notes for select using (not secret or owner = (select auth.uid()));
create policy "own" on public.notes for all to authenticated
    using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
alter publication supabase_realtime add table public.rooms, public.notes;

create function public.add(a int, b int default 1) returns int language sql immutable as $$ select a + b $$;
create function public.rooms_tagged(tag text) returns setof public.rooms language sql stable
as $$ select * from public.rooms where tag = any (tags) $$;

create policy "members hear" on realtime.messages for select to authenticated
    using (realtime.topic() like 'members:%');
create policy "members speak" on realtime.messages for insert to authenticated
    with check (realtime.topic() like 'members:%');

create policy "own folder" on storage.objects for all to authenticated
    using (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text)
    with check (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text);
insert into storage.buckets (id, name, public, file_size_limit) values ('files', 'files', false, 1000000), ('open', 'open', true, null);
