create table public.tasks (
    id bigint generated always as identity primary key,
    owner uuid not null default auth.uid() references auth.users on delete cascade,
    title text not null check (title <> ''),
    done_at timestamptz
);

alter table public.tasks enable row level security;
create policy "people see their own tasks" on public.tasks for select to authenticated
    using (owner = auth.uid());
create policy "managers see all tasks" on public.tasks for select to authenticated
    using (auth.jwt() -> 'app_metadata' ->> 'role' = 'manager');
create policy "people add their own tasks" on public.tasks for insert to authenticated
    with check (owner = auth.uid());
create policy "people change their own tasks" on public.tasks for update to authenticated
    using (owner = auth.uid()) with check (owner = auth.uid());

create table public.labels (name text primary key);
alter table public.labels enable row level security;
create policy "everybody reads the labels" on public.labels for select using (true);
grant select on public.labels to anon, authenticated;

insert into storage.buckets (id, name) values ('attachments', 'attachments');
create policy "people keep files in a folder of their own" on storage.objects for all to authenticated
    using (bucket_id = 'attachments' and (storage.foldername(name))[1] = auth.uid()::text)
    with check (bucket_id = 'attachments' and (storage.foldername(name))[1] = auth.uid()::text);
