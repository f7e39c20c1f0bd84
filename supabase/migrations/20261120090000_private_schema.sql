-- Helpers of policies and triggers. The schema is not exposed by the REST API (see config.toml), and nobody but its
-- owner has USAGE on it: policies and triggers name its functions by identity, callers cannot name them at all.
create schema if not exists private;
revoke all on schema private from public;
comment on schema private is 'Helpers of policies and triggers. Never expose it through the API.';

-- The setting, unlike current_user, keeps the caller's role inside a security definer function. Direct SQL by the
-- owner has 'none' there, so migrations, seeds, restores and cascades of the Auth service are not the API.
create function private.via_api() returns boolean
language sql stable set search_path = ''
as $$ select coalesce(current_setting('role', true), 'none') in ('anon', 'authenticated') $$;
comment on function private.via_api() is 'True when a person (anon or authenticated) is calling, through REST or otherwise.';

create function private.stamp_row() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' then
        new.version := old.version + 1;
        new.created_at := old.created_at;
        new.updated_at := now();
    elsif private.via_api() then
        new.version := 1;
        new.created_at := now();
        new.updated_at := now();
    end if;
    return new;
end
$$;
comment on function private.stamp_row() is
    'version, created_at and updated_at: what a caller sends for them counts for nothing. A version grows by one with every update.';

create function private.refuse() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    raise exception using errcode = '42501', message = tg_argv[0];
end
$$;
comment on function private.refuse() is 'Raises its argument. Put the forbidden case into the trigger''s WHEN.';

create function private.refuse_to_api() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if private.via_api() then
        raise exception using errcode = '42501', message = tg_argv[0];
    end if;
    return new;
end
$$;
comment on function private.refuse_to_api() is 'As private.refuse(), but the owner of the database may.';

revoke execute on all functions in schema private from public, anon, authenticated, service_role;
