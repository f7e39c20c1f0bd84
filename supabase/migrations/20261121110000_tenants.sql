-- Tenants, and who rates for them. A person belongs to one tenant, in one role, once and for all: `rater_profiles` is
-- what every policy of the rating tables goes by. What a person says of themselves at sign-up (user_metadata) is copied
-- from there once, and only where the tenant lets them in: with an invitation code, or by open sign-up. Later edits of
-- user_metadata, which anybody may make, count for nothing.

create table public.tenants (
    id text constraint tenants_pkey primary key,
    name text not null,
    open_signup boolean not null default false,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint tenants_id_form check (id ~ '^[a-z0-9][a-z0-9_-]{1,62}$'),
    constraint tenants_name_length check (char_length(name) between 1 and 100 and name ~ '\S')
);
comment on table public.tenants is 'Organizations that have answers rated. Their id is a word, such as acme_corp.';
comment on column public.tenants.open_signup is 'Anybody may join as a rater, without an invitation.';
comment on constraint tenants_id_form on public.tenants is
    'A tenant''s id has 2 to 63 small letters, digits, hyphens and underscores.';
comment on constraint tenants_name_length on public.tenants is 'A tenant''s name has 1 to 100 characters.';

create table public.tenant_invites (
    id uuid constraint tenant_invites_pkey primary key default gen_random_uuid(),
    tenant_id text not null
        constraint tenant_invites_tenant_id_fkey references public.tenants (id) on delete cascade,
    -- 80 random bits: not to be guessed.
    code text not null default left(replace(gen_random_uuid()::text, '-', ''), 12)
        || right(replace(gen_random_uuid()::text, '-', ''), 12) constraint tenant_invites_code_key unique,
    role text not null default 'rater',
    brand_id text,
    uses_left integer not null default 1,
    expires_at timestamptz not null default now() + interval '14 days',
    created_by uuid default auth.uid(),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint tenant_invites_role_known check (role in ('rater', 'manager')),
    constraint tenant_invites_brand_id_form check (
        brand_id is null or (brand_id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' and role = 'rater')
    ),
    constraint tenant_invites_uses_left_range check (uses_left between 0 and 10000)
);
comment on table public.tenant_invites is 'Codes that let people into a tenant. For its managers only.';
comment on column public.tenant_invites.code is 'Made by the database.';
comment on column public.tenant_invites.brand_id is 'Who joins with this code sees the campaigns of this brand only.';
comment on constraint tenant_invites_role_known on public.tenant_invites is 'One joins as a rater or as a manager.';
comment on constraint tenant_invites_brand_id_form on public.tenant_invites is
    'A brand has 1 to 64 letters, digits, dots, hyphens and underscores, and is for raters only.';
comment on constraint tenant_invites_uses_left_range on public.tenant_invites is 'A code is good for up to 10,000 people.';
create index tenant_invites_tenant_id_idx on public.tenant_invites (tenant_id, created_at desc);

create table public.rater_profiles (
    user_id uuid constraint rater_profiles_pkey primary key
        constraint rater_profiles_user_id_fkey references public.users (id) on delete cascade,
    tenant_id text not null
        constraint rater_profiles_tenant_id_fkey references public.tenants (id) on delete cascade,
    rater_id text not null,
    name text not null,
    role text not null default 'rater',
    brand_id text,
    active boolean not null default true,
    total_judgments integer not null default 0,
    compared integer not null default 0,
    agreed integer not null default 0,
    gold_total integer not null default 0,
    gold_correct integer not null default 0,
    streak integer not null default 0,
    best_streak integer not null default 0,
    last_judged_on date,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint rater_profiles_rater_id_key unique (tenant_id, rater_id),
    constraint rater_profiles_rater_id_form check (rater_id ~ '^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$'),
    constraint rater_profiles_name_length check (char_length(name) between 1 and 60 and name ~ '\S'),
    constraint rater_profiles_role_known check (role in ('rater', 'manager')),
    constraint rater_profiles_brand_id_for_raters check (brand_id is null or role = 'rater'),
    constraint rater_profiles_counts_sane check (
        total_judgments >= 0 and agreed between 0 and compared and gold_correct between 0 and gold_total
        and streak between 0 and best_streak
    )
);
comment on table public.rater_profiles is
    'Who rates for which tenant, in which role, and how much. The counts are kept by triggers.';
comment on column public.rater_profiles.compared is 'Pairs of a final judgment of this rater and one of another rater of the same task.';
comment on column public.rater_profiles.agreed is 'Those of the pairs with the same verdict.';
comment on column public.rater_profiles.streak is 'Days (UTC) in a row with a judgment, up to last_judged_on.';
comment on constraint rater_profiles_rater_id_form on public.rater_profiles is
    'A rater''s id has 1 to 64 letters, digits, dots, hyphens and underscores.';
comment on constraint rater_profiles_name_length on public.rater_profiles is 'A name has 1 to 60 characters.';
comment on constraint rater_profiles_role_known on public.rater_profiles is 'A role is rater or manager.';
comment on constraint rater_profiles_brand_id_for_raters on public.rater_profiles is 'A manager sees all brands of the tenant.';
comment on constraint rater_profiles_counts_sane on public.rater_profiles is 'These counts cannot be.';
create index rater_profiles_tenant_id_idx on public.rater_profiles (tenant_id, total_judgments desc);
create index rater_profiles_managers_idx on public.rater_profiles (tenant_id) where role = 'manager' and active;

-- Nothing but the fact that somebody rates, not for whom: the app learns from this public table when to load the
-- rating tables for a person, anew when the role changes, and for most people not at all.
create table public.rating_roles (
    user_id uuid constraint rating_roles_pkey primary key
        constraint rating_roles_user_id_fkey references public.users (id) on delete cascade,
    role text not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint rating_roles_role_known check (role in ('rater', 'manager', 'none'))
);
comment on table public.rating_roles is 'Whether somebody rates, or manages rating. Kept by a trigger; grants nothing.';
comment on constraint rating_roles_role_known on public.rating_roles is 'A role is rater, manager or none.';

create function private.my_tenant() returns text
language sql stable security definer set search_path = ''
as $$ select tenant_id from public.rater_profiles where user_id = (select auth.uid()) and active $$;
comment on function private.my_tenant() is 'The tenant the caller belongs to now, whatever their token says.';

create function private.my_managed_tenant() returns text
language sql stable security definer set search_path = ''
as $$
    select tenant_id from public.rater_profiles
    where user_id = (select auth.uid()) and active and role = 'manager'
$$;
comment on function private.my_managed_tenant() is 'As private.my_tenant(), for managers only.';

create function private.my_brand() returns text
language sql stable security definer set search_path = ''
as $$ select brand_id from public.rater_profiles where user_id = (select auth.uid()) and active $$;
comment on function private.my_brand() is 'The one brand whose campaigns the caller may see; null for all of the tenant.';

revoke execute on function private.my_tenant(), private.my_managed_tenant(), private.my_brand() from public;
grant execute on function private.my_tenant(), private.my_managed_tenant(), private.my_brand()
    to anon, authenticated, service_role;

-- Returns null when the person is in, else the reason in a sentence. Sign-up must not fail for any of them.
create function private.enroll(p_user uuid, p_tenant text, p_code text, p_rater_id text, p_name text) returns text
language plpgsql security definer set search_path = ''
as $$
declare
    tenant public.tenants;
    invite public.tenant_invites;
    wanted constant text := coalesce(
        nullif(btrim(p_rater_id), ''), 'rater_' || left(replace(p_user::text, '-', ''), 8)
    );
begin
    if exists (select from public.rater_profiles where user_id = p_user) then
        return 'You belong to a tenant already.';
    end if;
    if wanted !~ '^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$' then
        return 'A rater''s id has 1 to 64 letters, digits, dots, hyphens and underscores.';
    end if;
    if nullif(p_code, '') is not null then
        select * into invite from public.tenant_invites
        where code = btrim(p_code) and uses_left > 0 and expires_at > now() and tenant_id = coalesce(p_tenant, tenant_id)
        for update;
        if not found then
            return 'This invitation is not valid (any more).';
        end if;
    end if;
    select * into tenant from public.tenants where id = coalesce(invite.tenant_id, p_tenant);
    if not found or (invite.id is null and not tenant.open_signup) then
        -- The same words for a tenant that is not there: nobody finds out by guessing which there are.
        return 'This tenant takes nobody without an invitation.';
    end if;
    -- The judgments of an account that is gone stay under its rater id.
    if exists (select from public.judgments where tenant_id = tenant.id and rater_id = wanted) then
        return 'This rater id is taken.';
    end if;
    insert into public.rater_profiles (user_id, tenant_id, rater_id, name, role, brand_id)
    values (
        p_user, tenant.id, wanted,
        coalesce(
            private.presentable_name(p_name), (select display_name from public.users where id = p_user), wanted
        ),
        coalesce(invite.role, 'rater'), invite.brand_id
    )
    on conflict (tenant_id, rater_id) do nothing;
    if not found then
        return 'This rater id is taken.';
    end if;
    update public.tenant_invites set uses_left = uses_left - 1 where id = invite.id;
    -- A trigger puts tenant and rater id into what Auth puts into tokens.
    update auth.users set raw_app_meta_data = raw_app_meta_data where id = p_user;
    return null;
end
$$;
revoke execute on function private.enroll(uuid, text, text, text, text) from public, anon, authenticated, service_role;

create function private.enroll_at_sign_up() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    said constant jsonb := coalesce(new.raw_user_meta_data, '{}');
begin
    if said ->> 'tenant_id' is not null or said ->> 'invite_code' is not null then
        perform private.enroll(
            new.id, said ->> 'tenant_id', said ->> 'invite_code', said ->> 'rater_id', said ->> 'name'
        );
    end if;
    return null;
end
$$;
comment on function private.enroll_at_sign_up() is
    'Never refuses: who is not let in has an account without a tenant, and may join later.';

create function private.stamp_tenant_claims() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    new.raw_app_meta_data := coalesce(new.raw_app_meta_data, '{}') - array['tenant_id', 'rater_id', 'rating_role']
        || coalesce(
            (
                select jsonb_build_object('tenant_id', tenant_id, 'rater_id', rater_id, 'rating_role', role)
                from public.rater_profiles where user_id = new.id and active
            ),
            '{}'
        );
    return new;
end
$$;
comment on function private.stamp_tenant_claims() is
    'app_metadata, which only the database and admins write, carries tenant and rater id into every token. For other programs: the policies here ask rater_profiles.';
revoke execute on function private.enroll_at_sign_up(), private.stamp_tenant_claims()
    from public, anon, authenticated, service_role;

-- Named to come after tavern_create_profile: triggers of a kind fire in the order of their names.
create trigger tavern_enroll after insert on auth.users
    for each row execute function private.enroll_at_sign_up();
create trigger tavern_stamp_tenant_claims before update of raw_app_meta_data on auth.users
    for each row execute function private.stamp_tenant_claims();

create function public.join_tenant(
    p_tenant text default null, p_code text default null, p_rater_id text default null, p_name text default null
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    refused text;
begin
    if (select auth.uid()) is null then
        raise exception using errcode = '42501', message = 'Sign in first.';
    end if;
    refused := private.enroll((select auth.uid()), p_tenant, p_code, p_rater_id, p_name);
    if refused is not null then
        raise exception using errcode = '23514', message = refused;
    end if;
    return (select to_jsonb(profile) from public.rater_profiles as profile where user_id = (select auth.uid()));
end
$$;
comment on function public.join_tenant(text, text, text, text) is
    'Become a rater (or what the invitation says) of a tenant, with a code or where sign-up is open. Returns the profile.';

create function public.create_tenant(p_id text, p_name text, p_open_signup boolean default false, p_rater_id text default null)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    me constant uuid := auth.uid();
    profile public.rater_profiles;
begin
    if me is null then
        raise exception using errcode = '42501', message = 'Sign in first.';
    end if;
    if exists (select from public.rater_profiles where user_id = me) then
        raise exception using errcode = '23514', message = 'You belong to a tenant already.';
    end if;
    insert into public.tenants (id, name, open_signup) values (p_id, p_name, p_open_signup)
    on conflict (id) do nothing;
    if not found then
        raise exception using errcode = '23514', message = 'A tenant with this id exists already.';
    end if;
    insert into public.rater_profiles (user_id, tenant_id, rater_id, name, role)
    select me, p_id, coalesce(p_rater_id, 'rater_' || left(replace(me::text, '-', ''), 8)), display_name, 'manager'
    from public.users where id = me
    returning * into profile;
    update auth.users set raw_app_meta_data = raw_app_meta_data where id = me;
    return to_jsonb(profile);
end
$$;
comment on function public.create_tenant(text, text, boolean, text) is
    'Found a tenant and become its first manager, for members who belong to none. Returns the profile.';

create function public.open_tenants() returns table (id text, name text)
language sql stable security definer set search_path = ''
as $$ select tenants.id, tenants.name from public.tenants where open_signup order by tenants.name, tenants.id $$;
comment on function public.open_tenants() is 'The tenants that anybody may join.';

revoke execute on function public.join_tenant(text, text, text, text), public.create_tenant(text, text, boolean, text),
    public.open_tenants() from public, anon, authenticated, service_role;
grant execute on function public.join_tenant(text, text, text, text), public.create_tenant(text, text, boolean, text),
    public.open_tenants() to authenticated;

create function private.guard_rater_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if not private.via_api() then
        return new;
    end if;
    if new.name <> old.name and new.user_id is distinct from (select auth.uid()) then
        raise exception using errcode = '42501', message = 'Only the person can change this name.';
    end if;
    if (new.role, new.active) is not distinct from (old.role, old.active) then
        return new;
    end if;
    -- One at a time: two managers who demote each other at once must not leave the tenant without any.
    perform pg_advisory_xact_lock(hashtextextended('rating.managers.' || old.tenant_id, 0));
    if private.my_managed_tenant() is distinct from old.tenant_id then
        raise exception using errcode = '42501', message = 'Only a manager of the tenant can do that.';
    end if;
    if old.role = 'manager' and old.active and not exists (
        select from public.rater_profiles
        where tenant_id = old.tenant_id and role = 'manager' and active and user_id <> old.user_id
    ) then
        raise exception using errcode = '23514', message = 'A tenant needs at least one manager.',
            hint = 'Make somebody else a manager first.';
    end if;
    return new;
end
$$;

create function private.follow_rater_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into public.rating_roles as known (user_id, role)
    values (new.user_id, case when new.active then new.role else 'none' end)
    on conflict (user_id) do update set role = excluded.role where known.role <> excluded.role;
    if tg_op = 'UPDATE' then
        update auth.users set raw_app_meta_data = raw_app_meta_data where id = new.user_id;
    end if;
    return null;
end
$$;
revoke execute on function private.guard_rater_profile(), private.follow_rater_profile()
    from public, anon, authenticated, service_role;

create trigger guard_key before update on public.tenants
    for each row when (old.id is distinct from new.id)
    execute function private.refuse('The id of a tenant cannot be changed.');
create trigger stamp_row before insert or update on public.tenants
    for each row execute function private.stamp_row();

create trigger guard_key before update on public.tenant_invites
    for each row when ((old.id, old.tenant_id, old.code, old.role, old.brand_id, old.created_by)
        is distinct from (new.id, new.tenant_id, new.code, new.role, new.brand_id, new.created_by))
    execute function private.refuse('Of an invitation only its end and the number of its uses can be changed.');
create trigger stamp_row before insert or update on public.tenant_invites
    for each row execute function private.stamp_row();

create trigger guard_key before update on public.rater_profiles
    for each row when ((old.user_id, old.tenant_id, old.rater_id, old.brand_id)
        is distinct from (new.user_id, new.tenant_id, new.rater_id, new.brand_id))
    execute function private.refuse('Who somebody rates for, and as whom, cannot be changed.');
create trigger guard_rater_profile before update on public.rater_profiles
    for each row when ((old.name, old.role, old.active) is distinct from (new.name, new.role, new.active))
    execute function private.guard_rater_profile();
create trigger stamp_row before insert or update on public.rater_profiles
    for each row execute function private.stamp_row();
create trigger follow_new_profile after insert on public.rater_profiles
    for each row execute function private.follow_rater_profile();
create trigger follow_profile after update on public.rater_profiles
    for each row when ((old.role, old.active) is distinct from (new.role, new.active))
    execute function private.follow_rater_profile();

create trigger guard_key before update on public.rating_roles
    for each row when (old.user_id is distinct from new.user_id)
    execute function private.refuse('Whose role it is cannot be changed.');
create trigger stamp_row before insert or update on public.rating_roles
    for each row execute function private.stamp_row();

alter table public.tenants enable row level security;
alter table public.tenant_invites enable row level security;
alter table public.rater_profiles enable row level security;
alter table public.rating_roles enable row level security;
revoke all on public.tenants, public.tenant_invites, public.rater_profiles, public.rating_roles
    from public, anon, authenticated, service_role;
-- With SELECT and no policy a visitor sees no row; without it, Realtime would tell them that there was one.
grant select on public.tenants, public.tenant_invites, public.rater_profiles, public.rating_roles to anon, authenticated;
grant update (name, open_signup) on public.tenants to authenticated;
grant insert (id, tenant_id, role, brand_id, uses_left, expires_at), update (uses_left, expires_at), delete
    on public.tenant_invites to authenticated;
grant update (name, role, active) on public.rater_profiles to authenticated;
grant select, insert, update, delete on public.tenants, public.tenant_invites, public.rater_profiles, public.rating_roles
    to service_role;

create policy "Members may see their tenant" on public.tenants
    for select to authenticated using (id = (select private.my_tenant()));
create policy "Managers may change their tenant" on public.tenants
    for update to authenticated
    using (id = (select private.my_managed_tenant())) with check (id = (select private.my_managed_tenant()));

create policy "Managers may see the invitations" on public.tenant_invites
    for select to authenticated using (tenant_id = (select private.my_managed_tenant()));
create policy "Managers may invite" on public.tenant_invites
    for insert to authenticated with check (tenant_id = (select private.my_managed_tenant()));
create policy "Managers may change an invitation" on public.tenant_invites
    for update to authenticated
    using (tenant_id = (select private.my_managed_tenant()))
    with check (tenant_id = (select private.my_managed_tenant()));
create policy "Managers may take an invitation back" on public.tenant_invites
    for delete to authenticated using (tenant_id = (select private.my_managed_tenant()));

create policy "Members may see who rates for their tenant" on public.rater_profiles
    for select to authenticated
    using (tenant_id = (select private.my_tenant()) or user_id = (select auth.uid()));
-- The trigger parts the two: the name by the person, role and membership by managers.
create policy "The person may change the name, managers the role" on public.rater_profiles
    for update to authenticated
    using (tenant_id = (select private.my_managed_tenant()) or user_id = (select auth.uid()))
    with check (tenant_id = (select private.my_managed_tenant()) or user_id = (select auth.uid()));
-- No policy for delete: a profile goes with its account.

create policy "Anyone may see whether somebody rates" on public.rating_roles
    for select to anon, authenticated using (true);

alter publication supabase_realtime
    add table public.tenants, public.tenant_invites, public.rater_profiles, public.rating_roles;
