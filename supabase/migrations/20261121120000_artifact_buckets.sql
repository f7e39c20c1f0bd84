-- Files of the rating work: what is trained, on what, and what is given away. Everything lies in the folder of its
-- tenant (`acme_corp/adapters/v1.safetensors`), and the policies here are all that keeps tenants apart: Storage asks them
-- for each request, with the caller's own token. db/artifacts.py says the same limits and types to people.

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values
    (
        'model-artifacts', 'model-artifacts', false, 209715200,
        array['application/octet-stream', 'application/json', 'text/plain', 'application/zip', 'application/gzip']
    ),
    (
        'training-data', 'training-data', false, 104857600,
        array[
            'text/csv', 'application/json', 'application/x-ndjson', 'text/plain', 'application/vnd.apache.parquet',
            'application/zip', 'application/gzip'
        ]
    ),
    -- Public: who knows the address of a file may read it. No HTML or SVG, which would be run at that address.
    (
        'exports', 'exports', true, 20971520,
        array['text/csv', 'application/json', 'application/x-ndjson', 'text/plain', 'application/zip', 'application/gzip']
    )
on conflict (id) do update
set public = excluded.public, file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

create function private.may_use_files(bucket text, path text, to_change boolean) returns boolean
language sql stable security definer set search_path = ''
as $$
    select exists (
        select from public.rater_profiles as me
        where me.user_id = (select auth.uid()) and me.active
            and bucket in ('model-artifacts', 'training-data', 'exports')
            -- The tenant's folder, and a name in it.
            and starts_with(path, me.tenant_id || '/') and char_length(path) > char_length(me.tenant_id) + 1
            -- Who is here for one brand sees its campaigns and nothing else of the tenant.
            and me.brand_id is null
            -- What is put into a public bucket is published.
            and (me.role = 'manager' or not (to_change and bucket = 'exports'))
    )
$$;
comment on function private.may_use_files(text, text, boolean) is
    'Whether the caller may read (or put there) a file of this name, going by the tenant they belong to now.';
create function private.may_remove_files(bucket text, path text, owner text) returns boolean
language sql stable security definer set search_path = ''
as $$
    select private.may_use_files(bucket, path, true)
        and (owner = (select auth.uid())::text or private.my_managed_tenant() is not null)
$$;
comment on function private.may_remove_files(text, text, text) is
    'Whether the caller may replace or delete a file: their own, or as a manager any of the tenant.';
revoke execute on function private.may_use_files(text, text, boolean), private.may_remove_files(text, text, text)
    from public, anon, authenticated, service_role;
grant execute on function private.may_use_files(text, text, boolean), private.may_remove_files(text, text, text)
    to authenticated;

create policy "Members may read the files of their tenant" on storage.objects
    for select to authenticated using (private.may_use_files(bucket_id, name, false));
create policy "Members may add files for their tenant" on storage.objects
    for insert to authenticated with check (private.may_use_files(bucket_id, name, true));
create policy "The owner and managers may replace a file" on storage.objects
    for update to authenticated
    using (private.may_remove_files(bucket_id, name, owner_id))
    with check (private.may_use_files(bucket_id, name, true));
create policy "The owner and managers may delete a file" on storage.objects
    for delete to authenticated using (private.may_remove_files(bucket_id, name, owner_id));
