-- A table that was there before: without a version column, and written by another program.
create table orders (
    number bigint primary key generated always as identity,
    region text not null,
    amount numeric(10, 2) not null,
    ordered_at timestamptz not null default now()
);
alter table orders enable row level security;
create policy "Members may read" on orders for select to authenticated using (true);

insert into orders (region, amount)
select (array['North', 'South', 'West'])[1 + n % 3], 20 + n from generate_series(1, 30) as n;

-- This line is all that the table needs to be live. It adds the version column.
select livetables.watch('orders');
