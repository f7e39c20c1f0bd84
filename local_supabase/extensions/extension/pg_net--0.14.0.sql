-- Every call is refused: the embedded database makes no HTTP requests.

create schema if not exists net;
grant usage on schema net to public;

create function net.http_get(
    url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000
) returns bigint language plpgsql as $$
begin
    raise exception 'pg_net is not supported by the embedded Supabase' using errcode = 'feature_not_supported';
end $$;

create function net.http_post(
    url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
    timeout_milliseconds int default 5000
) returns bigint language plpgsql as $$
begin
    raise exception 'pg_net is not supported by the embedded Supabase' using errcode = 'feature_not_supported';
end $$;

create function net.http_delete(
    url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000,
    body jsonb default null
) returns bigint language plpgsql as $$
begin
    raise exception 'pg_net is not supported by the embedded Supabase' using errcode = 'feature_not_supported';
end $$;
