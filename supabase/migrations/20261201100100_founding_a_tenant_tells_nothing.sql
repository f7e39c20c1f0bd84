-- join_tenant() answers the same for a tenant that lets nobody in and for one that does not exist. create_tenant() gave
-- it away: "exists already" for one, success for the other, as often as one liked. Now a wish that is taken gets an id of
-- its own, and as a person belongs to one tenant for good, each account can ask once.
create or replace function public.create_tenant(
    p_id text, p_name text, p_open_signup boolean default false, p_rater_id text default null
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    me constant uuid := auth.uid();
    tenant text := p_id;
    profile public.rater_profiles;
begin
    if me is null then
        raise exception using errcode = '42501', message = 'Sign in first.';
    end if;
    if exists (select from public.rater_profiles where user_id = me) then
        raise exception using errcode = '23514', message = 'You belong to a tenant already.';
    end if;
    loop
        insert into public.tenants (id, name, open_signup) values (tenant, p_name, p_open_signup)
        on conflict (id) do nothing;
        exit when found;
        tenant := left(p_id, 56) || '_' || left(replace(gen_random_uuid()::text, '-', ''), 6);
    end loop;
    insert into public.rater_profiles (user_id, tenant_id, rater_id, name, role)
    select me, tenant, coalesce(p_rater_id, 'rater_' || left(replace(me::text, '-', ''), 8)), display_name, 'manager'
    from public.users where id = me
    returning * into profile;
    update auth.users set raw_app_meta_data = raw_app_meta_data where id = me;
    return to_jsonb(profile);
end
$$;
comment on function public.create_tenant(text, text, boolean, text) is
    'Found a tenant and become its first manager, for members who belong to none. p_id is a wish: if it is taken, the tenant gets an id that begins with it. Returns the profile.';
