-- Who changed an event or a profile last, for "Ada changed the location 3 s ago" and for conflicts between two editors.
--
-- No foreign key: setting it to null when that account goes would be an update of every row they ever touched.
alter table public.users add column updated_by uuid;
alter table public.events add column updated_by uuid;
comment on column public.users.updated_by is 'Who wrote the row last; null for the system. What a caller sends for it counts for nothing.';
comment on column public.events.updated_by is 'Who wrote the row last; null for the system. What a caller sends for it counts for nothing.';

create function private.stamp_updated_by() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    -- As in private.stamp_row(): direct SQL may insert a row as it was, in a restore for example.
    if tg_op = 'UPDATE' or current_setting('role', true) <> 'none' then
        new.updated_by := auth.uid();
    end if;
    return new;
end
$$;
comment on function private.stamp_updated_by() is 'updated_by is whoever is calling, whatever they say.';
revoke execute on function private.stamp_updated_by() from public, anon, authenticated, service_role;

create trigger stamp_updated_by before insert or update on public.users
    for each row execute function private.stamp_updated_by();
create trigger stamp_updated_by before insert or update on public.events
    for each row execute function private.stamp_updated_by();
