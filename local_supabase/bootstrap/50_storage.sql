-- The storage schema, with Supabase Storage's columns. The files are in the data folder and named by the version of
-- their object, so that no text of a user becomes a file name.

set role supabase_storage_admin;

create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');

create table storage.buckets (
    id text not null primary key,
    name text not null,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    public boolean default false,
    avif_autodetection boolean default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    owner_id text,
    type storage.buckettype not null default 'STANDARD'
);
create unique index bname on storage.buckets (name);
comment on column storage.buckets.owner is 'Field is deprecated, use owner_id instead';

create table storage.objects (
    id uuid not null default gen_random_uuid() primary key,
    bucket_id text constraint "objects_bucketId_fkey" references storage.buckets,
    name text,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now(),
    metadata jsonb,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    version text,
    owner_id text,
    user_metadata jsonb
);
create unique index bucketid_objname on storage.objects (bucket_id, name);
create index name_prefix_search on storage.objects (name text_pattern_ops);
create index idx_objects_bucket_id_name on storage.objects (bucket_id, name collate "C");
comment on column storage.objects.owner is 'Field is deprecated, use owner_id instead';

create table storage.migrations (
    id integer primary key,
    name varchar(100) unique not null,
    hash varchar(40) not null,
    executed_at timestamp default current_timestamp
);

alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
alter table storage.migrations enable row level security;
grant all on storage.buckets, storage.objects to postgres with grant option;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;

create function storage.foldername(name text) returns text[] language plpgsql immutable as $$
declare
    parts constant text[] := string_to_array(name, '/');
begin
    return parts[1 : array_length(parts, 1) - 1];
end
$$;

create function storage.filename(name text) returns text language plpgsql immutable as $$
declare
    parts constant text[] := string_to_array(name, '/');
begin
    return parts[array_length(parts, 1)];
end
$$;

create function storage.extension(name text) returns text language plpgsql immutable as $$
begin
    return reverse(split_part(reverse(storage.filename(name)), '.', 1));
end
$$;

create function storage.operation() returns text language sql stable as $$
    select current_setting('storage.operation', true)
$$;

create function storage.allow_only_operation(expected_operation text) returns boolean language sql stable as $$
    select storage.operation() in (expected_operation, 'storage.' || expected_operation)
$$;

create function storage.allow_any_operation(expected_operations text[]) returns boolean language sql stable as $$
    select coalesce(bool_or(storage.allow_only_operation(expected)), false) from unnest(expected_operations) expected
$$;

create function storage.get_size_by_bucket() returns table (size bigint, bucket_id text) language sql stable as $$
    select sum((o.metadata ->> 'size')::bigint)::bigint, o.bucket_id from storage.objects o group by o.bucket_id
$$;

-- Lists one level of a bucket: folders first, then files. `prefix` is empty or ends with a slash. `search` is the
-- beginning of a name, case-insensitive.
create function storage.search(
    prefix text,
    bucketname text,
    limits integer default 100,
    levels integer default 1,
    offsets integer default 0,
    search text default '',
    sortcolumn text default 'name',
    sortorder text default 'asc'
) returns table (
    name text,
    id uuid,
    updated_at timestamptz,
    created_at timestamptz,
    last_accessed_at timestamptz,
    metadata jsonb
) language plpgsql stable as $$
declare
    sort_by constant text :=
        case when sortcolumn in ('updated_at', 'created_at', 'last_accessed_at') then sortcolumn else 'name' end;
    direction constant text := case when sortorder = 'desc' then 'desc' else 'asc' end;
begin
    return query execute format(
        $query$
        with matching as (
            select o.path_tokens[$1] collate "C" as name, cardinality(o.path_tokens) > $1 as is_folder,
                   o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
              from storage.objects o
             where o.bucket_id = $2 and starts_with(o.name, $3)
               and starts_with(lower(substr(o.name, length($3) + 1)), lower($4))
        )
        (select distinct m.name, null::uuid, null::timestamptz, null::timestamptz, null::timestamptz, null::jsonb
           from matching m where m.is_folder order by m.name %2$s)
        union all
        (select m.name, m.id, m.updated_at, m.created_at, m.last_accessed_at, m.metadata
           from matching m where not m.is_folder order by m.%1$I %2$s, m.name)
        limit $5 offset $6
        $query$,
        sort_by, direction
    ) using levels, bucketname, coalesce(prefix, ''), coalesce(search, ''), limits, offsets;
end
$$;

create function storage.update_updated_at_column() returns trigger language plpgsql as $$
begin
    new.updated_at = now();
    return new;
end
$$;
create trigger update_objects_updated_at before update on storage.objects
    for each row execute function storage.update_updated_at_column();

create function storage.enforce_bucket_name_length() returns trigger language plpgsql as $$
begin
    if length(new.name) > 100 then
        raise exception 'bucket name "%" is too long (% characters). Max is 100.', new.name, length(new.name);
    end if;
    return new;
end
$$;
create trigger enforce_bucket_name_length_trigger before insert or update of name on storage.buckets
    for each row execute function storage.enforce_bucket_name_length();

create function storage.protect_delete() returns trigger language plpgsql as $$
begin
    if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
        raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
            using hint = 'This prevents accidental data loss from orphaned objects.', errcode = '42501';
    end if;
    return null;
end
$$;
create trigger protect_buckets_delete before delete on storage.buckets
    for each statement execute function storage.protect_delete();
create trigger protect_objects_delete before delete on storage.objects
    for each statement execute function storage.protect_delete();

-- Only in the embedded server: files whose object is gone, until they are deleted.
create table storage.local_removed_files (
    version text not null primary key,
    removed_at timestamptz not null default now()
);
alter table storage.local_removed_files enable row level security;

create function storage.local_note_removed_file() returns trigger
    language plpgsql security definer set search_path = '' as $$
begin
    insert into storage.local_removed_files (version) values (old.version) on conflict do nothing;
    return null;
end
$$;
create trigger local_note_deleted_file after delete on storage.objects
    for each row when (old.version is not null) execute function storage.local_note_removed_file();
create trigger local_note_replaced_file after update of version on storage.objects
    for each row when (old.version is distinct from new.version and old.version is not null)
    execute function storage.local_note_removed_file();

reset role;
