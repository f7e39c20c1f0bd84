-- Every call is refused: the embedded Supabase has no GraphQL.

create function graphql.resolve(
    query text, variables jsonb default '{}', "operationName" text default null, extensions jsonb default null
) returns jsonb language plpgsql as $$
begin
    raise exception 'GraphQL is not supported by the embedded Supabase' using errcode = 'feature_not_supported';
end $$;
