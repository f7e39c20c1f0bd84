-- Events and who may change them beside their organizer.

create table public.events (
    id uuid constraint events_pkey primary key default gen_random_uuid(),
    title text not null,
    description text not null default '',
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    time_zone text not null default 'UTC',
    location text not null default '',
    capacity integer,
    organizer_id uuid not null default auth.uid()
        constraint events_organizer_id_fkey references public.users (id) on delete cascade,
    cancelled_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint events_title_length check (char_length(title) between 1 and 120),
    constraint events_title_not_blank check (title ~ '\S'),
    constraint events_description_length check (char_length(description) <= 5000),
    constraint events_ends_after_start check (ends_at > starts_at),
    constraint events_times_finite check (isfinite(starts_at) and isfinite(ends_at)),
    constraint events_location_length check (char_length(location) <= 200),
    constraint events_capacity_range check (capacity between 1 and 100000)
);
comment on table public.events is 'Gatherings. starts_at and ends_at are moments; time_zone says where they are told.';
comment on column public.events.capacity is 'How many may go; null for no limit. Held under a race by a trigger on rsvps.';
comment on constraint events_title_length on public.events is 'A title has 1 to 120 characters.';
comment on constraint events_title_not_blank on public.events is 'A title has 1 to 120 characters.';
comment on constraint events_description_length on public.events is 'A description has up to 5,000 characters.';
comment on constraint events_ends_after_start on public.events is 'An event ends after it starts.';
comment on constraint events_times_finite on public.events is 'An event has a start and an end.';
comment on constraint events_location_length on public.events is 'A location has up to 200 characters.';
comment on constraint events_capacity_range on public.events is 'A capacity is between 1 and 100,000, or left empty.';

create index events_starts_at_idx on public.events (starts_at);
create index events_organizer_id_idx on public.events (organizer_id);

create table public.event_cohosts (
    event_id uuid not null constraint event_cohosts_event_id_fkey references public.events (id) on delete cascade,
    user_id uuid not null constraint event_cohosts_user_id_fkey references public.users (id) on delete cascade,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint event_cohosts_pkey primary key (event_id, user_id)
);
comment on table public.event_cohosts is 'Who may change an event beside its organizer and the admins.';
create index event_cohosts_user_id_idx on public.event_cohosts (user_id);

create function private.guard_time_zone() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    -- The view, because `at time zone` would also take abbreviations and POSIX rules, which no other library knows.
    if not exists (select from pg_catalog.pg_timezone_names where name = new.time_zone)
        or new.time_zone ~ '^(posix|right)/|^(Factory|localtime|posixrules)$'
    then
        raise exception using errcode = '23514', message = 'That time zone is not known.',
            hint = 'Use an IANA name, for example Europe/Berlin.', column = 'time_zone', table = 'events';
    end if;
    return new;
end
$$;
revoke execute on function private.guard_time_zone() from public, anon, authenticated, service_role;

create trigger guard_key before update on public.events
    for each row when (old.id is distinct from new.id)
    execute function private.refuse('The id of an event cannot be changed.');
create trigger guard_organizer before update on public.events
    for each row when (old.organizer_id is distinct from new.organizer_id)
    execute function private.refuse_to_api('The organizer of an event cannot be changed.');
create trigger guard_time_zone before insert or update of time_zone on public.events
    for each row execute function private.guard_time_zone();
create trigger stamp_row before insert or update on public.events
    for each row execute function private.stamp_row();

create trigger guard_key before update on public.event_cohosts
    for each row when ((old.event_id, old.user_id) is distinct from (new.event_id, new.user_id))
    execute function private.refuse('The event and the person of a co-host cannot be changed.');
create trigger stamp_row before insert or update on public.event_cohosts
    for each row execute function private.stamp_row();

create function private.hand_over_events() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    with heir as (
        select distinct on (host.event_id) host.event_id, host.user_id
        from public.event_cohosts as host
        join public.events as event on event.id = host.event_id
        where event.organizer_id = old.id and host.user_id <> old.id
        order by host.event_id, host.created_at, host.user_id
    ), passed_on as (
        update public.events as event set organizer_id = heir.user_id
        from heir where event.id = heir.event_id
        returning event.id, event.organizer_id
    )
    delete from public.event_cohosts as host using passed_on
    where host.event_id = passed_on.id and host.user_id = passed_on.organizer_id;
    return old;
end
$$;
comment on function private.hand_over_events() is
    'When an account is deleted, its events pass to their longest-serving co-host; those without one go with the account.';
revoke execute on function private.hand_over_events() from public, anon, authenticated, service_role;
create trigger hand_over_events before delete on public.users
    for each row execute function private.hand_over_events();

alter table public.events enable row level security;
revoke all on public.events from public, anon, authenticated, service_role;
grant select on public.events to anon;
grant select, insert, update, delete on public.events to authenticated, service_role;

create policy "Anyone may see the events" on public.events
    for select to anon, authenticated using (true);
create policy "Members may create events of their own" on public.events
    for insert to authenticated with check (organizer_id = (select auth.uid()));
create policy "Organizer, co-hosts and admins may change an event" on public.events
    for update to authenticated
    using (
        organizer_id = (select auth.uid())
        or (select private.is_admin())
        or exists (
            select from public.event_cohosts as host
            where host.event_id = events.id and host.user_id = (select auth.uid())
        )
    ); -- no "with check": Postgres then asks the same of the new row
create policy "Organizer, co-hosts and admins may delete an event" on public.events
    for delete to authenticated
    using (
        organizer_id = (select auth.uid())
        or (select private.is_admin())
        or exists (
            select from public.event_cohosts as host
            where host.event_id = events.id and host.user_id = (select auth.uid())
        )
    );

alter table public.event_cohosts enable row level security;
revoke all on public.event_cohosts from public, anon, authenticated, service_role;
grant select on public.event_cohosts to anon;
-- Nothing in the row can be changed, so nobody gets UPDATE.
grant select, insert, delete on public.event_cohosts to authenticated;
grant select, insert, update, delete on public.event_cohosts to service_role;

create policy "Anyone may see the co-hosts" on public.event_cohosts
    for select to anon, authenticated using (true);
create policy "Organizer and admins may add co-hosts" on public.event_cohosts
    for insert to authenticated
    with check (
        (select private.is_admin())
        or exists (
            select from public.events as event
            where event.id = event_cohosts.event_id and event.organizer_id = (select auth.uid())
        )
    );
create policy "Organizer and admins may remove co-hosts, co-hosts may leave" on public.event_cohosts
    for delete to authenticated
    using (
        user_id = (select auth.uid())
        or (select private.is_admin())
        or exists (
            select from public.events as event
            where event.id = event_cohosts.event_id and event.organizer_id = (select auth.uid())
        )
    );
