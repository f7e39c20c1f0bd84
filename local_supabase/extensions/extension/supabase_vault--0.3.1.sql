-- Every call is refused: the embedded Supabase could only store secrets unencrypted, which would look safe.

create function vault.create_secret(
    new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
) returns uuid language plpgsql as $$
begin
    raise exception 'The vault is not supported by the embedded Supabase' using errcode = 'feature_not_supported';
end $$;

create function vault.update_secret(
    secret_id uuid, new_secret text default null, new_name text default null, new_description text default null,
    new_key_id uuid default null
) returns void language plpgsql as $$
begin
    raise exception 'The vault is not supported by the embedded Supabase' using errcode = 'feature_not_supported';
end $$;

create table vault.secrets (
    id uuid primary key default gen_random_uuid(),
    name text,
    description text not null default '',
    secret text not null,
    key_id uuid,
    nonce bytea,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint secrets_are_not_supported check (false)
);

create view vault.decrypted_secrets as
    select id, name, description, secret, secret as decrypted_secret, key_id, nonce, created_at, updated_at
    from vault.secrets;
revoke all on vault.secrets, vault.decrypted_secrets from public;
