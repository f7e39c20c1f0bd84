-- An admin takes a picture down: the profile shows the emoji again, and the file goes in the same transaction. Nothing else of
-- somebody else's profile is an admin's to change, and no admin puts a picture there.

create or replace function private.guard_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if not private.via_api() or new.id is not distinct from (select auth.uid()) then
        return new;
    end if;
    if new.picture is null
        and (old.display_name, old.bio, old.avatar) is not distinct from (new.display_name, new.bio, new.avatar)
        and private.is_admin()
    then
        return new;
    end if;
    raise exception using errcode = '42501', message = 'Only the person can edit this profile.';
end
$$;

create function private.delete_taken_down_picture() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    -- People delete their own files: the app does it after every tab has the new picture.
    if private.via_api() and new.id is distinct from (select auth.uid()) then
        perform set_config('storage.allow_delete_query', 'true', true);
        delete from storage.objects
        where bucket_id = 'avatars' and name = old.id::text || '/' || old.picture::text || '.webp';
        perform set_config('storage.allow_delete_query', 'false', true);
    end if;
    return null;
end
$$;
revoke execute on function private.delete_taken_down_picture() from public, anon, authenticated, service_role;
create trigger delete_taken_down_picture after update on public.users
    for each row when (old.picture is not null and new.picture is null)
    execute function private.delete_taken_down_picture();
