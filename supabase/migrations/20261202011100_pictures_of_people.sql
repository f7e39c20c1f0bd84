-- A person's picture. No address is kept, so none can lead to another host: the row names a file of the bucket `avatars`, which
-- lies in the person's own folder, and everybody's app makes the address from both. A file is never replaced. Another picture is
-- another file, so browsers may keep each for good. Without a picture, the emoji is shown.

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values ('avatars', 'avatars', true, 65536, array['image/webp'])
on conflict (id) do update
set public = excluded.public, file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

alter table public.users add column picture uuid;
comment on column public.users.picture is
    'The file <id>/<picture>.webp of the bucket avatars; null for a person who is shown by the emoji in avatar.';

create or replace trigger guard_profile before update on public.users
    for each row when (
        (old.display_name, old.bio, old.avatar, old.picture)
            is distinct from (new.display_name, new.bio, new.avatar, new.picture)
    )
    execute function private.guard_profile();

create function private.is_my_picture(path text) returns boolean
language sql stable security definer set search_path = ''
as $$
    select path ~ (
        '^' || (select auth.uid())::text || '/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.webp$'
    )
$$;
comment on function private.is_my_picture(text) is 'Whether a file of the bucket avatars is, by its name, a picture of the caller.';

create function private.has_room_for_picture() returns boolean
language sql stable security definer set search_path = ''
as $$
    select count(*) < 10 from storage.objects
    where bucket_id = 'avatars' and starts_with(name, (select auth.uid())::text || '/')
$$;
comment on function private.has_room_for_picture() is
    'Whether the caller keeps few files: the app deletes the old picture, so there are two for a moment.';
revoke execute on function private.is_my_picture(text), private.has_room_for_picture()
    from public, anon, authenticated, service_role;
grant execute on function private.is_my_picture(text), private.has_room_for_picture() to authenticated;

create policy "People may list their pictures" on storage.objects
    for select to authenticated using (bucket_id = 'avatars' and private.is_my_picture(name));
create policy "People may add a few pictures of themselves" on storage.objects
    for insert to authenticated
    with check (bucket_id = 'avatars' and private.is_my_picture(name) and private.has_room_for_picture());
create policy "People may delete their pictures" on storage.objects
    for delete to authenticated using (bucket_id = 'avatars' and private.is_my_picture(name));
-- No policy for update: what an address has shown it shows as long as there is anything.

-- With an account its pictures go. Where Storage keeps the content elsewhere, this makes it unreachable.
create function private.delete_pictures() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform set_config('storage.allow_delete_query', 'true', true);
    delete from storage.objects where bucket_id = 'avatars' and starts_with(name, old.id::text || '/');
    perform set_config('storage.allow_delete_query', 'false', true);
    return null;
end
$$;
revoke execute on function private.delete_pictures() from public, anon, authenticated, service_role;
create trigger delete_pictures after delete on public.users
    for each row execute function private.delete_pictures();
