-- The id of a run that a program asks for with an Idempotency-Key is made from the person and the key, so that asking
-- twice makes one run. Made in the open, another member could take the id first. Now it takes a secret of this database.
create table private.run_id_secret (
    singleton boolean not null default true constraint run_id_secret_pkey primary key,
    -- 244 random bits; gen_random_uuid() draws from the strong generator.
    secret text not null default gen_random_uuid()::text || gen_random_uuid()::text,
    constraint run_id_secret_one_row check (singleton)
);
comment on table private.run_id_secret is 'What makes the ids of idempotent runs unguessable. Changing it forgets which were asked for.';
alter table private.run_id_secret enable row level security;
revoke all on private.run_id_secret from public, anon, authenticated, service_role;
insert into private.run_id_secret default values;

create function public.run_id_for_key(p_key text) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
declare
    me constant uuid := auth.uid();
    secret constant text := (select known.secret from private.run_id_secret as known);
begin
    if me is null then
        raise exception using errcode = '42501', message = 'Sign in first.';
    end if;
    if p_key is null or char_length(p_key) not between 1 and 255 then
        raise exception using errcode = '22023', message = 'An Idempotency-Key has 1 to 255 characters.';
    end if;
    -- Hashed twice, so that no longer key continues the hash of a shorter one.
    return left(encode(sha256(convert_to(
        secret || encode(sha256(convert_to(secret || me::text || p_key, 'UTF8')), 'hex'), 'UTF8'
    )), 'hex'), 32)::uuid;
end
$$;
comment on function public.run_id_for_key(text) is
    'The id of the caller''s run for an Idempotency-Key: the same each time, and nobody else can make it.';
revoke execute on function public.run_id_for_key(text) from public, anon, authenticated, service_role;
grant execute on function public.run_id_for_key(text) to authenticated;
