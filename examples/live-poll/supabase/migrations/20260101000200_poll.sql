create table choices (
    id int primary key,
    title text not null,
    votes int not null default 0
);

-- Everybody may read, and nobody may write: votes are counted by the function alone.
alter table choices enable row level security;
create policy "Anybody may read" on choices for select to anon, authenticated using (true);

create function vote(choice int) returns void language sql security definer set search_path = ''
as $$ update public.choices set votes = votes + 1 where id = choice $$;

insert into choices (id, title) values (1, 'Pizza'), (2, 'Curry'), (3, 'Salad');

select livetables.watch('choices');
