-- Files without content cost no bytes, and still a row and a file each: so a tenant keeps a limited number of files, too.

alter table private.storage_quota add column files_per_tenant bigint not null default 100000,
    add constraint storage_quota_files_positive check (files_per_tenant > 0);
comment on table private.storage_quota is
    'How many bytes of files, and how many files, a tenant may keep; an operator changes it with plain SQL.';

create or replace function private.tenant_has_room(path text) returns boolean
language sql stable security definer set search_path = ''
as $$
    select coalesce(sum((object.metadata ->> 'size')::bigint), 0) < (select bytes_per_tenant from private.storage_quota)
        and count(*) < (select files_per_tenant from private.storage_quota)
    from storage.objects as object
    where object.bucket_id in ('model-artifacts', 'training-data', 'exports')
        and starts_with(object.name, split_part(path, '/', 1) || '/')
$$;
comment on function private.tenant_has_room(text) is
    'Whether the tenant of this file keeps less than its share of bytes, and of files.';
