-- The extensions of a new Supabase project. Some are stand-ins, see extensions/.

create schema graphql authorization supabase_admin;
create schema vault authorization supabase_admin;
grant usage on schema graphql to postgres, anon, authenticated, service_role;
grant usage on schema vault to postgres, service_role;

create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;
create extension pg_stat_statements with schema extensions;
create extension pg_graphql;
create extension supabase_vault;

create function graphql_public.graphql(
    "operationName" text default null, query text default null, variables jsonb default null,
    extensions jsonb default null
) returns jsonb language sql as $$
    select graphql.resolve(query, coalesce(variables, '{}'), "operationName", extensions)
$$;
grant execute on function graphql_public.graphql to postgres, anon, authenticated, service_role;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres, service_role;

-- The SQL of a dumped hosted project may name these roles.
create role supabase_functions_admin noinherit createrole nologin;
create role supabase_read_only_user nologin bypassrls;
create role pgbouncer nologin;
