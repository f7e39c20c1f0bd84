-- An event's picture, kept as those of people are: the row names a file of the bucket `event-pictures` in the event's folder, and
-- no row can lead to another host. Hosts add files. The file goes when the event shows another one or none, so an admin, who
-- may change every event, takes a picture down with its file.

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values ('event-pictures', 'event-pictures', true, 131072, array['image/webp'])
on conflict (id) do update
set public = excluded.public, file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

alter table public.events add column picture uuid;
comment on column public.events.picture is 'The file <id>/<picture>.webp of the bucket event-pictures; null without a picture.';

create function private.is_picture_of_my_event(path text) returns boolean
language sql stable security definer set search_path = ''
as $$
    select path ~ (
        '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.webp$'
    ) and exists (
        select from public.events as event
        where event.id::text = split_part(path, '/', 1)
            and (
                event.organizer_id = (select auth.uid())
                or exists (
                    select from public.event_cohosts as host
                    where host.event_id = event.id and host.user_id = (select auth.uid())
                )
            )
    )
$$;
comment on function private.is_picture_of_my_event(text) is
    'Whether a file of the bucket event-pictures is, by its name, a picture of an event that the caller hosts.';

create function private.has_room_for_event_picture(path text) returns boolean
language sql stable security definer set search_path = ''
as $$
    select count(*) < 10 from storage.objects
    where bucket_id = 'event-pictures' and starts_with(name, split_part(path, '/', 1) || '/')
$$;
comment on function private.has_room_for_event_picture(text) is 'Whether the event keeps few files.';
revoke execute on function private.is_picture_of_my_event(text), private.has_room_for_event_picture(text)
    from public, anon, authenticated, service_role;
grant execute on function private.is_picture_of_my_event(text), private.has_room_for_event_picture(text) to authenticated;

create policy "Hosts may list the pictures of their events" on storage.objects
    for select to authenticated using (bucket_id = 'event-pictures' and private.is_picture_of_my_event(name));
create policy "Hosts may add a few pictures of their events" on storage.objects
    for insert to authenticated
    with check (
        bucket_id = 'event-pictures' and private.is_picture_of_my_event(name) and private.has_room_for_event_picture(name)
    );
create policy "Hosts may delete pictures of their events" on storage.objects
    for delete to authenticated using (bucket_id = 'event-pictures' and private.is_picture_of_my_event(name));
-- No policy for update: what an address has shown it shows as long as there is anything.

create function private.delete_event_pictures() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform set_config('storage.allow_delete_query', 'true', true);
    delete from storage.objects
    where bucket_id = 'event-pictures'
        and case tg_op
            when 'DELETE' then starts_with(name, old.id::text || '/')
            else name = old.id::text || '/' || old.picture::text || '.webp'
        end;
    perform set_config('storage.allow_delete_query', 'false', true);
    return null;
end
$$;
revoke execute on function private.delete_event_pictures() from public, anon, authenticated, service_role;
create trigger delete_pictures after delete on public.events
    for each row execute function private.delete_event_pictures();
create trigger delete_old_picture after update on public.events
    for each row when (old.picture is not null and old.picture is distinct from new.picture)
    execute function private.delete_event_pictures();
