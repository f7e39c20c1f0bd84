-- Whoever has a verified second factor has entered one of its codes in this session, or is nobody here: the password
-- alone reads and writes nothing that is theirs, over REST, Realtime and Storage. Auth says in the token (`aal`) whether a
-- code was entered. https://supabase.com/docs/guides/auth/auth-mfa#enforce-rules-for-mfa-logins

create function private.is_assured() returns boolean
language sql stable security definer set search_path = ''
as $$
    select coalesce((select auth.jwt()) ->> 'aal', '') = 'aal2'
        or not exists (
            select from auth.mfa_factors where user_id = (select auth.uid()) and status = 'verified'
        )
$$;
revoke execute on function private.is_assured() from public, anon, authenticated, service_role;
grant execute on function private.is_assured() to authenticated;

create function private.me() returns uuid
language sql stable security definer set search_path = ''
as $$ select case when private.is_assured() then auth.uid() end $$;
revoke execute on function private.me() from public, anon, authenticated, service_role;

-- The functions that pass over row security ask who calls. To them, who lacks the code is a visitor. Only that changes, so
-- their text is taken as it is; a function that is added later calls private.me() itself.
do $do$
declare
    found_function record;
begin
    for found_function in
        select p.oid from pg_catalog.pg_proc as p
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
            and p.prosecdef and p.prorettype <> 'trigger'::regtype and p.prosrc like '%auth.uid()%'
            and p.proname not in ('is_assured', 'me')
    loop
        execute replace(pg_get_functiondef(found_function.oid), 'auth.uid()', 'private.me()');
    end loop;
end
$do$;

-- Asks for the code wherever members may do what visitors may not. A migration that adds a table calls it after the policies.
create function private.require_second_factor(wanted regclass) returns void
language plpgsql set search_path = ''
as $$
declare
    verb record;
begin
    for verb in
        select cmd.letter, cmd.name, cmd.title
        from (
            values ('r', 'select', 'Reading'), ('a', 'insert', 'Adding'), ('w', 'update', 'Changing'),
                ('d', 'delete', 'Removing')
        ) as cmd (letter, name, title)
        where exists (
            select from pg_catalog.pg_policy as p
            where p.polrelid = wanted and p.polpermissive and p.polcmd::text = cmd.letter
                and 'authenticated'::regrole::oid = any (p.polroles)
                and not 'anon'::regrole::oid = any (p.polroles)
        )
    loop
        execute format(
            'create policy %I on %s as restrictive for %s to authenticated %s ((select private.is_assured()))',
            verb.title || ' needs the second factor of who has one', wanted, verb.name,
            case verb.letter when 'a' then 'with check' else 'using' end
        );
    end loop;
end
$$;
revoke execute on function private.require_second_factor(regclass) from public, anon, authenticated, service_role;

select private.require_second_factor(c.oid) from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p');
select private.require_second_factor('storage.objects');

-- For who has lost the device: ten codes, of which the database keeps nothing but hashes. Each has 80 random bits, so a
-- plain hash tells nothing, and guessing is hopeless.
create table private.recovery_codes (
    user_id uuid not null references public.users on delete cascade,
    code_hash bytea not null check (octet_length(code_hash) = 32),
    created_at timestamptz not null default now(),
    primary key (user_id, code_hash)
);
alter table private.recovery_codes enable row level security;
revoke all on private.recovery_codes from public, anon, authenticated, service_role;

create function private.hash_of_code(code text) returns bytea
language sql immutable set search_path = ''
as $$
    -- However it is typed: with hyphens, with spaces, in capitals.
    select sha256(convert_to(regexp_replace(lower(left(code, 100)), '[^0-9a-f]', '', 'g'), 'UTF8'))
$$;
revoke execute on function private.hash_of_code(text) from public, anon, authenticated, service_role;

create function public.new_recovery_codes() returns text[]
language plpgsql volatile security definer set search_path = ''
as $$
declare
    me constant uuid := private.me();
    codes text[];
begin
    perform private.current_session();
    perform pg_advisory_xact_lock(hashtextextended('recovery_codes.' || me::text, 0));
    if not exists (select from auth.mfa_factors where user_id = me and status = 'verified') then
        raise exception using errcode = '23514', message = 'Set up two-step sign-in first.';
    end if;
    delete from private.recovery_codes where user_id = me;
    select array_agg(
        regexp_replace(left(encode(sha256(convert_to(
            gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'
        )), 'hex'), 20), '(.{4})(?=.)', '\1-', 'g')
    ) into codes from generate_series(1, 10);
    insert into private.recovery_codes (user_id, code_hash)
    select me, private.hash_of_code(code) from unnest(codes) as code;
    return codes;
end
$$;
comment on function public.new_recovery_codes() is
    'Returns ten new recovery codes of the caller, this one time; those from before are void.';
revoke execute on function public.new_recovery_codes() from public, anon, authenticated, service_role;
grant execute on function public.new_recovery_codes() to authenticated;

create function public.recovery_codes_left() returns integer
language sql stable security definer set search_path = ''
as $$ select count(*)::integer from private.recovery_codes where user_id = private.me() $$;
comment on function public.recovery_codes_left() is 'How many recovery codes of the caller are unused.';
revoke execute on function public.recovery_codes_left() from public, anon, authenticated, service_role;
grant execute on function public.recovery_codes_left() to authenticated;

create function public.use_recovery_code(p_code text) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
declare
    -- Who calls lacks the code of the second factor, so private.me() would be null.
    caller constant uuid := auth.uid();
    this constant text := auth.jwt() ->> 'session_id';
begin
    if not exists (select from auth.sessions where id::text = this and user_id = caller) then
        raise exception using errcode = '42501', message = 'This sign-in has ended. Please sign in again.';
    end if;
    delete from private.recovery_codes as code
    where code.user_id = caller and code.code_hash = private.hash_of_code(p_code)
        -- Those of a factor that was removed do not open a later one.
        and exists (
            select from auth.mfa_factors as factor
            where factor.user_id = caller and factor.status = 'verified' and factor.created_at <= code.created_at
        );
    if not found then
        return false;
    end if;
    delete from private.recovery_codes where user_id = caller;
    delete from auth.mfa_factors where user_id = caller;
    delete from auth.sessions where user_id = caller and id::text <> this;
    return true;
end
$$;
comment on function public.use_recovery_code(text) is
    'Removes the caller''s second factors for a recovery code, and ends their other sign-ins; returns whether the code was right.';
revoke execute on function public.use_recovery_code(text) from public, anon, authenticated, service_role;
grant execute on function public.use_recovery_code(text) to authenticated;
