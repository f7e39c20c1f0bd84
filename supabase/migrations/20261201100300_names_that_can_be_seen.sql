-- A name needs a character that can be seen: one of joiners, fillers and selectors alone passes for no name at all, or for
-- somebody else's. And who signs up without a name is a guest: the part before the @ is half of an address.
create function private.can_be_seen(name text) returns boolean
language sql immutable set search_path = ''
as $$
    select regexp_replace(
        name,
        '[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]',
        '', 'g'
    ) <> ''
$$;
comment on function private.can_be_seen(text) is 'Whether a text has any character with a shape of its own.';
revoke execute on function private.can_be_seen(text) from public, anon, authenticated, service_role;
-- A constraint runs with the rights of whoever writes the row.
grant execute on function private.can_be_seen(text) to authenticated, service_role;

create function private.guest_name(id uuid) returns text
language sql immutable set search_path = ''
as $$ select 'Guest ' || left(replace(id::text, '-', ''), 4) $$;
revoke execute on function private.guest_name(uuid) from public, anon, authenticated, service_role;

update public.users set display_name = private.guest_name(id) where not private.can_be_seen(display_name);
alter table public.users add constraint users_display_name_visible check (private.can_be_seen(display_name));
comment on constraint users_display_name_visible on public.users is 'A name has a character that can be seen.';

create or replace function private.create_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    wanted constant text := private.presentable_name(new.raw_user_meta_data ->> 'display_name');
begin
    insert into public.users (id, display_name, created_at, updated_at)
    values (
        new.id,
        case when private.can_be_seen(wanted) then wanted else private.guest_name(new.id) end,
        coalesce(new.created_at, now()),
        coalesce(new.created_at, now())
    )
    on conflict (id) do nothing;
    return new;
end
$$;
