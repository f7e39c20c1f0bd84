-- Accounts that are deleted together: an event passes to a co-host who stays, whatever the order of the deletions.

create or replace function private.hand_over_events() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    handed uuid;
    heir uuid;
begin
    for handed in select event.id from public.events as event where event.organizer_id = old.id order by event.id loop
        -- Without the profile, the same statement has deleted the co-host already; the row here goes after it. The lock
        -- waits for another transaction that is deleting the co-host, and then finds the next one.
        select host.user_id into heir
        from public.event_cohosts as host
        join public.users as person on person.id = host.user_id
        where host.event_id = handed and host.user_id <> old.id
        order by host.created_at, host.user_id
        limit 1
        for key share of person;
        continue when not found;
        update public.events set organizer_id = heir where id = handed;
        delete from public.event_cohosts where event_id = handed and user_id = heir;
    end loop;
    return old;
end
$$;
