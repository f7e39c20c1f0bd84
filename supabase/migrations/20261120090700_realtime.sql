-- What Realtime sends. Deletes are filtered by columns of the replica identity only, and "what changed" needs the old
-- row, hence FULL; tavern_messages has its reason for the key alone in its own migration.
alter table public.users replica identity full;
alter table public.events replica identity full;
alter table public.rsvps replica identity full;
alter table public.private_messages replica identity full;

do $$
declare
    missing text;
begin
    if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
        create publication supabase_realtime;
    end if;
    for missing in
        select name from unnest(array[
            'users', 'events', 'event_cohosts', 'rsvps', 'tavern_messages', 'private_messages', 'change_log'
        ]) as name
        where not exists (
            select from pg_catalog.pg_publication_tables
            where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = name
        )
    loop
        execute format('alter publication supabase_realtime add table public.%I', missing);
    end loop;
end
$$;
