-- Profiles. Addresses and passwords stay in auth.users; whoever signs up there gets a row here.
--
-- The first admin is made by direct SQL (Dashboard > SQL editor, or psql with DATABASE_URL), later ones by an admin:
--   update public.users set role = 'admin'
--   where id = (select id from auth.users where email = 'you@example.com');

create table public.users (
    id uuid constraint users_pkey primary key
        constraint users_id_fkey references auth.users (id) on delete cascade,
    display_name text not null,
    bio text not null default '',
    avatar text,
    role text not null default 'member',
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint users_display_name_length check (char_length(display_name) between 1 and 60),
    -- Control characters and direction overrides let one name pass for another.
    constraint users_display_name_plain check (
        display_name !~ '^[\s\u00a0\u3000]|[\s\u00a0\u3000]$'
        and display_name !~ '[\u0001-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2066-\u2069\ufeff]'
    ),
    constraint users_bio_length check (char_length(bio) <= 500),
    constraint users_avatar_length check (char_length(avatar) <= 300),
    constraint users_avatar_form check (avatar = '' or avatar ~ '^https://[^\s"''<>]+$' or avatar ~ '^[^\u0001-\u007f]{1,16}$'),
    constraint users_role_known check (role in ('member', 'organizer', 'admin'))
);
comment on table public.users is 'Public profiles, one for each account. Made by a trigger on auth.users.';
comment on constraint users_display_name_length on public.users is 'A name has 1 to 60 characters.';
comment on constraint users_display_name_plain on public.users is 'A name has no spaces around it and no invisible characters.';
comment on constraint users_bio_length on public.users is 'A bio has up to 500 characters.';
comment on constraint users_avatar_length on public.users is 'An avatar has up to 300 characters.';
comment on constraint users_avatar_form on public.users is 'An avatar is an emoji or an https address.';
comment on constraint users_role_known on public.users is 'A role is member, organizer or admin.';

create index users_admins_idx on public.users (id) where role = 'admin';

create function private.is_admin() returns boolean
language sql stable security definer set search_path = ''
as $$ select exists (select from public.users where id = (select auth.uid()) and role = 'admin') $$;
comment on function private.is_admin() is 'Whether the caller is an admin now, whatever an older token says.';
revoke execute on function private.is_admin() from public;
grant execute on function private.is_admin() to anon, authenticated, service_role;

create function private.presentable_name(wanted text) returns text
language sql immutable set search_path = ''
as $$
    select nullif(btrim(left(btrim(regexp_replace(
        wanted, '[\s\u00a0\u3000\u0001-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2066-\u2069\ufeff]+', ' ', 'g'
    )), 60)), '')
$$;
revoke execute on function private.presentable_name(text) from public, anon, authenticated, service_role;

create function private.create_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into public.users (id, display_name, created_at, updated_at)
    values (
        new.id,
        coalesce(
            private.presentable_name(new.raw_user_meta_data ->> 'display_name'),
            private.presentable_name(split_part(new.email, '@', 1)),
            'Guest'
        ),
        coalesce(new.created_at, now()),
        coalesce(new.created_at, now())
    )
    on conflict (id) do nothing;
    return new;
end
$$;
comment on function private.create_profile() is
    'Never refuses: an unusable display name must not make the sign-up fail with the Auth service''s "Database error saving new user".';
revoke execute on function private.create_profile() from public, anon, authenticated, service_role;

create trigger tavern_create_profile after insert on auth.users
    for each row execute function private.create_profile();

-- Accounts that are older than this migration.
insert into public.users (id, display_name, created_at)
select
    id,
    coalesce(
        private.presentable_name(raw_user_meta_data ->> 'display_name'),
        private.presentable_name(split_part(email, '@', 1)),
        'Guest'
    ),
    coalesce(created_at, now())
from auth.users
on conflict (id) do nothing;

create function private.guard_role() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if not private.via_api() then
        return new;
    end if;
    -- One role change at a time: two admins who demote each other at once must not leave Tavern without any. What
    -- is asked below is asked after the wait, so the caller has to be an admin still.
    perform pg_advisory_xact_lock(hashtextextended('public.users.role', 0));
    if not private.is_admin() then
        raise exception using errcode = '42501', message = 'Only an admin can change a role.';
    end if;
    if old.role = 'admin' and not exists (select from public.users where role = 'admin' and id <> old.id) then
        raise exception using errcode = '23514', message = 'Tavern needs at least one admin.',
            hint = 'Make somebody else an admin first.';
    end if;
    return new;
end
$$;
revoke execute on function private.guard_role() from public, anon, authenticated, service_role;

create function private.guard_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if private.via_api() and new.id is distinct from (select auth.uid()) then
        raise exception using errcode = '42501', message = 'Only the person can edit this profile.';
    end if;
    return new;
end
$$;
revoke execute on function private.guard_profile() from public, anon, authenticated, service_role;

create trigger guard_key before update on public.users
    for each row when (old.id is distinct from new.id)
    execute function private.refuse('The id of a profile cannot be changed.');
create trigger guard_new_role before insert on public.users
    for each row when (new.role <> 'member')
    execute function private.refuse_to_api('Only an admin can change a role.');
create trigger guard_profile before update on public.users
    for each row when (
        (old.display_name, old.bio, old.avatar) is distinct from (new.display_name, new.bio, new.avatar)
    )
    execute function private.guard_profile();
create trigger guard_role before update on public.users
    for each row when (old.role is distinct from new.role)
    execute function private.guard_role();
create trigger stamp_row before insert or update on public.users
    for each row execute function private.stamp_row();

alter table public.users enable row level security;
revoke all on public.users from public, anon, authenticated, service_role;
grant select on public.users to anon;
grant select, insert, update on public.users to authenticated;
grant select, insert, update, delete on public.users to service_role;

create policy "Anyone may see the profiles" on public.users
    for select to anon, authenticated using (true);
create policy "People may make their own missing profile" on public.users
    for insert to authenticated with check (id = (select auth.uid()));
-- The triggers above part the two: the person everything but the role, admins the role.
create policy "People may edit their profile, admins a role" on public.users
    for update to authenticated
    using (id = (select auth.uid()) or (select private.is_admin()))
    with check (id = (select auth.uid()) or (select private.is_admin()));
-- No policy for delete: a profile goes with its account, through the Auth service.
