-- A file is stored under a key of its own, and has the name that the person gave it in the metadata that clients add
-- (`name`, with its folders). Storage lists keys only, so this lists both. Files from before have no such name: theirs is
-- the key. The policies of storage.objects decide which files the caller sees.

create function public.tenant_files(p_bucket text, p_tenant text, p_after text default '', p_limit integer default 1000)
returns table (path text, name text, size bigint, mime_type text, updated_at timestamptz)
language sql stable security invoker set search_path = ''
as $$
    select object.name, left(object.user_metadata ->> 'name', 300), (object.metadata ->> 'size')::bigint,
        object.metadata ->> 'mimetype', object.updated_at
    from storage.objects as object
    where object.bucket_id = p_bucket and starts_with(object.name, p_tenant || '/')
        and object.name collate "C" > p_after
    order by object.name collate "C"
    limit least(p_limit, 1000)
$$;
comment on function public.tenant_files(text, text, text, integer) is
    'The files of a tenant in a bucket, with the names that people gave them, by key; the next page begins after p_after.';
revoke execute on function public.tenant_files(text, text, text, integer) from public, anon, authenticated, service_role;
grant execute on function public.tenant_files(text, text, text, integer) to authenticated;
