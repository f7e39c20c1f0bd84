-- Where a person is signed in, and ending one of these sign-ins. Auth keeps the sessions, but lets nobody list their own.
-- A token outlives its session by up to an hour, so both functions ask that the session of the caller's token still exists:
-- with the token of a device that was signed out, nobody finds or ends the others.

create function private.current_session() returns uuid
language plpgsql stable security definer set search_path = ''
as $$
declare
    found_session uuid;
begin
    select own.id into found_session from auth.sessions as own
    where own.id::text = (select auth.jwt()) ->> 'session_id' and own.user_id = (select auth.uid());
    if found_session is null then
        raise exception using errcode = '42501', message = 'This sign-in has ended. Please sign in again.';
    end if;
    return found_session;
end
$$;
revoke execute on function private.current_session() from public, anon, authenticated, service_role;

create function public.my_sessions()
returns table (id uuid, signed_in_at timestamptz, used_at timestamptz, user_agent text, is_this boolean)
language plpgsql stable security definer set search_path = ''
as $$
declare
    this uuid := private.current_session();
begin
    return query
        select own.id, own.created_at, greatest(own.created_at, own.refreshed_at at time zone 'utc'),
            left(own.user_agent, 500), own.id = this
        from auth.sessions as own
        where own.user_id = (select auth.uid()) and (own.not_after is null or own.not_after > now())
        order by own.id = this desc, 3 desc, own.id
        limit 100;
end
$$;
comment on function public.my_sessions() is
    'The caller''s own sign-ins, this one first, then the last used, at most 100. used_at is when its tokens were last renewed.';
revoke execute on function public.my_sessions() from public, anon, authenticated, service_role;
grant execute on function public.my_sessions() to authenticated;

create function public.end_session(p_session uuid) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
begin
    perform private.current_session();
    delete from auth.sessions as own where own.id = p_session and own.user_id = (select auth.uid());
    return found;
end
$$;
comment on function public.end_session(uuid) is
    'Ends one of the caller''s own sign-ins; returns whether it existed. Doing it twice does no harm.';
revoke execute on function public.end_session(uuid) from public, anon, authenticated, service_role;
grant execute on function public.end_session(uuid) to authenticated;
