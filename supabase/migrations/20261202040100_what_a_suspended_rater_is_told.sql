-- Who is suspended belongs to a tenant, and could join none. "Join a tenant first" sent them round in a circle.

create or replace function private.rater() returns public.rater_profiles
language plpgsql stable security definer set search_path = ''
as $$
declare
    profile public.rater_profiles;
begin
    select * into profile from public.rater_profiles where user_id = (select auth.uid());
    if not found then
        raise exception using errcode = '42501', message = 'Join a tenant first.';
    end if;
    if not profile.active then
        raise exception using errcode = '42501',
            message = 'You are no longer a rater. A manager of your tenant can reinstate you.';
    end if;
    if profile.role <> 'rater' then
        raise exception using errcode = '42501', message = 'Managers see all the answers, so they cannot rate blind.';
    end if;
    return profile;
end
$$;
