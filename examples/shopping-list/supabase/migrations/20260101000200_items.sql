create table items (
    id uuid primary key default gen_random_uuid(),
    title text not null check (length(trim(title)) between 1 and 100),
    done boolean not null default false
);

-- A list without accounts: whoever has the address may change it.
alter table items enable row level security;
create policy "Anybody may read" on items for select to anon, authenticated using (true);
create policy "Anybody may add" on items for insert to anon, authenticated with check (true);
create policy "Anybody may tick" on items for update to anon, authenticated using (true);
create policy "Anybody may remove" on items for delete to anon, authenticated using (true);

select livetables.watch('items');
