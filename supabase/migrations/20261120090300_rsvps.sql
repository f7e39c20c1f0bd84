-- Answers to events, and the capacity that holds however many people answer at once.

create table public.rsvps (
    event_id uuid not null constraint rsvps_event_id_fkey references public.events (id) on delete cascade,
    user_id uuid not null default auth.uid()
        constraint rsvps_user_id_fkey references public.users (id) on delete cascade,
    status text not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint rsvps_pkey primary key (event_id, user_id),
    constraint rsvps_status_known check (status in ('going', 'maybe', 'declined'))
);
comment on table public.rsvps is 'One answer of one person to one event.';
comment on constraint rsvps_status_known on public.rsvps is 'An answer is going, maybe or declined.';
create index rsvps_user_id_idx on public.rsvps (user_id);
create index rsvps_going_idx on public.rsvps (event_id) where status = 'going';

create function private.claim_place() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    event record;
    given text;
    taken integer;
begin
    -- Whoever claims a place, or changes how many there are, holds the event's row until commit. What is read below is
    -- read after the wait, with a snapshot of its own: true for read committed, which PostgREST uses, while serializable
    -- notices by itself.
    if current_setting('transaction_isolation') = 'repeatable read' then
        raise exception using errcode = '0A000', message = 'Answers to events need read committed or serializable.';
    end if;
    select ends_at, capacity, cancelled_at into event
    from public.events where id = new.event_id for no key update;
    if not found then
        return new; -- the foreign key says it better
    end if;
    -- An upsert fires the insert trigger for a row that is there already: it must not be counted twice.
    select status into given from public.rsvps where event_id = new.event_id and user_id = new.user_id;
    if given = new.status or (given is not null and new.status = 'declined') then
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
    if new.status = 'going' and event.capacity is not null then
        select count(*) into taken from public.rsvps
        where event_id = new.event_id and status = 'going';
        if taken >= event.capacity then
            raise exception using errcode = '23514', message = 'This event is full.',
                hint = format('%s of %s places are taken.', taken, event.capacity);
        end if;
    end if;
    return new;
end
$$;
revoke execute on function private.claim_place() from public, anon, authenticated, service_role;

create function private.guard_capacity() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    taken integer;
begin
    -- The update holds the event's row already, so no place can be claimed meanwhile.
    select count(*) into taken from public.rsvps where event_id = new.id and status = 'going';
    if taken > new.capacity then
        raise exception using errcode = '23514',
            message = format('%s people are going already: the capacity cannot be lower than that.', taken),
            hint = 'Choose a higher capacity, or none.', column = 'capacity', table = 'events';
    end if;
    return new;
end
$$;
revoke execute on function private.guard_capacity() from public, anon, authenticated, service_role;

create trigger guard_capacity before update on public.events
    for each row when (new.capacity is not null and new.capacity is distinct from old.capacity)
    execute function private.guard_capacity();

create trigger guard_key before update on public.rsvps
    for each row when ((old.event_id, old.user_id) is distinct from (new.event_id, new.user_id))
    execute function private.refuse('The event and the person of an answer cannot be changed.');
create trigger guard_place before insert or update of status on public.rsvps
    for each row execute function private.claim_place();
create trigger stamp_row before insert or update on public.rsvps
    for each row execute function private.stamp_row();

alter table public.rsvps enable row level security;
revoke all on public.rsvps from public, anon, authenticated, service_role;
grant select on public.rsvps to anon;
grant select, insert, update, delete on public.rsvps to authenticated, service_role;

create policy "Anyone may see who comes" on public.rsvps
    for select to anon, authenticated using (true);
create policy "People may answer for themselves" on public.rsvps
    for insert to authenticated with check (user_id = (select auth.uid()));
create policy "People may change their answer" on public.rsvps
    for update to authenticated
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy "People may take back their answer" on public.rsvps
    for delete to authenticated using (user_id = (select auth.uid()));
