-- Answers bring guests, and a full event has a waitlist: a place that becomes free goes to the first in line, in the
-- transaction that frees it. Whoever gets one so is asked to confirm it; what nobody confirms goes to the next in line.

alter table public.rsvps
    add column guests integer not null default 0,
    add column waitlisted_at timestamptz,
    add column confirm_by timestamptz,
    drop constraint rsvps_status_known,
    add constraint rsvps_status_known check (status in ('going', 'waitlisted', 'maybe', 'declined')),
    add constraint rsvps_guests_range check (guests between 0 and 10);
comment on column public.rsvps.guests is
    'How many people the person brings. Each takes a place. None with any other answer than going and waitlisted.';
comment on column public.rsvps.waitlisted_at is 'The order of the waitlist. Set by a trigger; null for whoever does not wait.';
comment on column public.rsvps.confirm_by is
    'Until when a place from the waitlist is kept for its person; null once it is confirmed, which is all a caller can set.';
comment on constraint rsvps_status_known on public.rsvps is 'An answer is going, waitlisted, maybe or declined.';
comment on constraint rsvps_guests_range on public.rsvps is 'A person brings up to 10 guests.';

create index rsvps_waitlist_idx on public.rsvps (event_id, waitlisted_at, user_id) where status = 'waitlisted';
create index rsvps_confirm_by_idx on public.rsvps (confirm_by) where confirm_by is not null;

create function private.places_taken(event uuid, besides uuid default null) returns integer
language sql volatile security definer set search_path = ''
as $$
    select coalesce(sum(1 + guests), 0)::integer from public.rsvps
    where event_id = event and status = 'going' and user_id is distinct from besides
$$;
comment on function private.places_taken(uuid, uuid) is
    'How many places of an event are taken, by people and their guests. Volatile, so that it reads what is committed now.';
revoke execute on function private.places_taken(uuid, uuid) from public, anon, authenticated, service_role;

create or replace function private.claim_place() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    event record;
    given record;
    taken integer;
    places integer; -- left for this person
begin
    if current_setting('waitlist.moves_up', true) = 'yes' then
        return new; -- private.move_up() has looked
    end if;
    -- Whoever claims a place, or changes how many there are, holds the event's row until commit. What is read below is
    -- read after the wait, with a snapshot of its own: true for read committed, which PostgREST uses, while serializable
    -- notices by itself.
    if current_setting('transaction_isolation') = 'repeatable read' then
        raise exception using errcode = '0A000', message = 'Answers to events need read committed or serializable.';
    end if;
    select ends_at, capacity, cancelled_at into event
    from public.events where id = new.event_id for no key update;
    -- An upsert fires the insert trigger for a row that is there already: it must not be counted twice.
    select status, guests, waitlisted_at, confirm_by into given
    from public.rsvps where event_id = new.event_id and user_id = new.user_id;

    if new.status not in ('going', 'waitlisted') then
        new.guests := 0;
    end if;
    if new.status = 'waitlisted' then
        new.waitlisted_at := coalesce(
            given.waitlisted_at, case when private.via_api() then null else new.waitlisted_at end, clock_timestamp()
        );
    else
        new.waitlisted_at := null;
    end if;
    if new.confirm_by is not null or new.status <> 'going' then
        new.confirm_by := case when new.status = 'going' and given.status = 'going' then given.confirm_by end;
    end if;
    if event is null then
        return new; -- the foreign key says it better
    end if;
    if (given.status = new.status and new.guests <= given.guests)
        or (given.status is not null and new.status = 'declined')
    then
        return new;
    end if;
    if event.cancelled_at is not null then
        raise exception using errcode = '23514', message = 'This event was cancelled.',
            hint = 'Only withdrawing is possible now.';
    end if;
    if event.ends_at <= now() and private.via_api() then
        raise exception using errcode = '23514', message = 'This event is over.',
            hint = 'Only withdrawing is possible now.';
    end if;
    if new.status not in ('going', 'waitlisted') then
        return new;
    end if;
    if new.status = 'waitlisted' and given.status = 'going' then
        raise exception using errcode = '23514', message = 'You have a place already.',
            hint = 'Take your answer back first.';
    end if;
    if event.capacity is not null then
        taken := private.places_taken(new.event_id, new.user_id);
        places := event.capacity - taken;
    end if;
    if new.status = 'waitlisted' then
        if (places is null or places > new.guests) and not exists (
            select from public.rsvps
            where event_id = new.event_id and status = 'waitlisted' and user_id <> new.user_id
        ) then
            new.status := 'going';
            new.waitlisted_at := null;
        end if;
        return new;
    end if;
    if places <= 0 then
        raise exception using errcode = '23514', message = 'This event is full.',
            hint = format('%s of %s places are taken.', taken, event.capacity);
    end if;
    if places <= new.guests then
        raise exception using errcode = '23514', column = 'guests', table = 'rsvps',
            message = case places
                when 1 then 'One place is left: you can come without guests.'
                else format('%s places are left: you can bring up to %s.', places,
                    case places when 2 then 'one guest' else format('%s guests', places - 1) end)
            end,
            hint = format('%s of %s places are taken.', taken, event.capacity);
    end if;
    return new;
end
$$;

drop trigger guard_place on public.rsvps;
create trigger guard_place before insert or update on public.rsvps
    for each row execute function private.claim_place();

create or replace function private.guard_capacity() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    taken integer;
begin
    -- The update holds the event's row already, so no place can be claimed meanwhile.
    taken := private.places_taken(new.id);
    if taken > new.capacity then
        raise exception using errcode = '23514',
            message = format('%s people are going already: the capacity cannot be lower than that.', taken),
            hint = 'Choose a higher capacity, or none.', column = 'capacity', table = 'events';
    end if;
    return new;
end
$$;

create function private.move_up(event uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
    plan record;
    places integer;
    late uuid;
    since timestamptz;
    next_ record;
begin
    select starts_at, ends_at, capacity, cancelled_at into plan
    from public.events where id = event for no key update;
    if plan is null or plan.cancelled_at is not null or plan.ends_at <= now() then
        return;
    end if;
    since := clock_timestamp();
    perform set_config('waitlist.moves_up', 'yes', true); -- its updates pass private.claim_place()
    loop
        places := plan.capacity - private.places_taken(event);
        -- A row that somebody is changing just now is left out: its own transaction comes here after this one.
        select user_id, guests into next_ from public.rsvps
        where event_id = event and status = 'waitlisted' and waitlisted_at < since
        order by waitlisted_at, user_id limit 1 for no key update skip locked;
        exit when not found;
        if places <= 0 then
            -- Only what somebody else waits for is taken away.
            select user_id into late from public.rsvps
            where event_id = event and status = 'going' and confirm_by < now()
            order by confirm_by, user_id limit 1 for no key update skip locked;
            exit when not found;
            update public.rsvps set status = 'waitlisted', waitlisted_at = clock_timestamp(), confirm_by = null
            where event_id = event and user_id = late;
            continue;
        end if;
        update public.rsvps
        set status = 'going',
            guests = least(guests, places - 1),
            waitlisted_at = null,
            -- A day, but no more than half of the time that is left.
            confirm_by = case when plan.starts_at > now()
                then now() + least(interval '24 hours', (plan.starts_at - now()) / 2) end
        where event_id = event and user_id = next_.user_id;
    end loop;
    perform set_config('waitlist.moves_up', '', true);
end
$$;
comment on function private.move_up(uuid) is
    'Gives the free places of an event to the first in line, who bring as many guests as fit. Each place has to be'
    ' confirmed; one that was not, in time, goes to the next in line, and its person to the end of the line.';
revoke execute on function private.move_up(uuid) from public, anon, authenticated, service_role;

-- By statement, so that an account that is deleted frees its places in the order of events: two of them cannot wait
-- for each other.
create function private.after_answers() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    event uuid;
begin
    if current_setting('waitlist.moves_up', true) = 'yes' then
        return null;
    end if;
    if tg_op = 'DELETE' then
        for event in select distinct event_id from before where status = 'going' order by event_id loop
            perform private.move_up(event);
        end loop;
    elsif tg_op = 'INSERT' then
        for event in select distinct event_id from after where status = 'waitlisted' order by event_id loop
            perform private.move_up(event);
        end loop;
    else
        for event in
            select distinct after.event_id
            from after join before using (event_id, user_id)
            where after.status = 'waitlisted'
                or (before.status = 'going' and (after.status <> 'going' or after.guests < before.guests))
            order by after.event_id
        loop
            perform private.move_up(event);
        end loop;
    end if;
    return null;
end
$$;
revoke execute on function private.after_answers() from public, anon, authenticated, service_role;

create trigger move_up_insert after insert on public.rsvps
    referencing new table as after for each statement execute function private.after_answers();
create trigger move_up_update after update on public.rsvps
    referencing old table as before new table as after for each statement execute function private.after_answers();
create trigger move_up_delete after delete on public.rsvps
    referencing old table as before for each statement execute function private.after_answers();

create function private.after_event() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform private.move_up(new.id);
    return null;
end
$$;
revoke execute on function private.after_event() from public, anon, authenticated, service_role;

create trigger move_up after update on public.events
    for each row when (
        (new.capacity is distinct from old.capacity or new.cancelled_at is distinct from old.cancelled_at)
        and new.cancelled_at is null
    )
    execute function private.after_event();

create function public.settle_waitlists() returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
    event uuid;
    settled integer := 0;
begin
    for event in
        select distinct late.event_id from public.rsvps as late
        where late.confirm_by < now() and exists (
            select from public.rsvps as waiting
            where waiting.event_id = late.event_id and waiting.status = 'waitlisted'
        )
        order by late.event_id limit 20
    loop
        perform private.move_up(event);
        settled := settled + 1;
    end loop;
    return settled;
end
$$;
comment on function public.settle_waitlists() is
    'Passes on the places that were not confirmed in time, of up to 20 events; returns of how many. Anybody may call it at'
    ' any time: what is due is due for everybody.';
revoke execute on function public.settle_waitlists() from public, anon, authenticated, service_role;
grant execute on function public.settle_waitlists() to anon, authenticated, service_role;
