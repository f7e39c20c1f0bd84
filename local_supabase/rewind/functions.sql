-- What a test stack needs to go back to the state after its migrations and its seed. `state.py` runs this file as
-- the superuser. Nobody else can use the schema `_local_supabase`.

create schema if not exists _local_supabase;

-- The function of pg_walinspect, without the extension, which a project's migrations may want to create themselves.
create or replace function _local_supabase.wal_blocks(
    start_at pg_lsn, end_at pg_lsn, show_data boolean,
    out start_lsn pg_lsn, out end_lsn pg_lsn, out prev_lsn pg_lsn, out block_id int2, out reltablespace oid,
    out reldatabase oid, out relfilenode oid, out relforknumber int2, out relblocknumber int8, out xid xid,
    out resource_manager text, out record_type text, out record_length int4, out main_data_length int4,
    out block_data_length int4, out block_fpi_length int4, out block_fpi_info text[], out description text,
    out block_data bytea, out block_fpi_data bytea
) returns setof record as '$libdir/pg_walinspect', 'pg_get_wal_block_info' language c strict parallel safe;

drop table if exists _local_supabase.kept_tables, _local_supabase.kept_sequences, _local_supabase.kept_state;
-- One row for each table whose rows are kept. `copy` is the table with its rows, null if it had none.
create unlogged table _local_supabase.kept_tables (
    oid oid primary key, filenode oid not null, is_logged boolean not null, kind "char" not null,
    columns text not null, copy regclass
);
create unlogged table _local_supabase.kept_sequences (
    oid oid primary key, last_value bigint, start_value bigint not null
);
create unlogged table _local_supabase.kept_state (
    only_row boolean primary key default true check (only_row), lsn pg_lsn not null, own_xid xid not null,
    schema_hash text not null
);

-- The tables that a project or a service fills.
create or replace view _local_supabase.own_tables as
    select c.oid, coalesce(pg_relation_filenode(c.oid), 0) as filenode, c.relpersistence = 'p' as is_logged,
           c.relkind as kind,
           coalesce((
               select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
               where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
           ), '') as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and c.relpersistence <> 't' and n.nspname <> 'information_schema'
        and n.nspname not like 'pg\_%' and n.nspname <> '_local_supabase';

-- The catalogs that describe a project's schema. TRUNCATE, VACUUM and temporary tables change some of their
-- columns, so these are left out.
create or replace function _local_supabase.schema_hash() returns text language sql as $$
    select md5(concat_ws('|',
        (select sum(hashtextextended(row(c.oid, relname, relnamespace, relowner, relkind, relpersistence, relacl,
            relrowsecurity, relforcerowsecurity, reloptions, relreplident, relispartition,
            case relkind when 'v' then pg_get_viewdef(c.oid) end)::text, 0))
         from pg_class c where relpersistence <> 't' and c.oid >= 16384
            and relnamespace <> '_local_supabase'::regnamespace and relkind not in ('t', 'i')),
        (select sum(hashtextextended(row(attrelid, attnum, attname, atttypid, atttypmod, attnotnull, attidentity,
            attgenerated, attisdropped, attacl, attcollation)::text, 0))
         from pg_attribute a join pg_class c on c.oid = a.attrelid
         where relpersistence <> 't' and attrelid >= 16384 and attnum > 0
            and relnamespace <> '_local_supabase'::regnamespace and relkind not in ('t', 'i')),
        (select sum(hashtextextended(row(indexrelid, indrelid, indkey, indisunique, indisvalid,
            pg_get_expr(indpred, indrelid))::text, 0))
         from pg_index i join pg_class c on c.oid = i.indrelid
         where relpersistence <> 't' and indrelid >= 16384
            and relnamespace <> '_local_supabase'::regnamespace and relkind <> 't'),
        (select sum(hashtextextended(p::text, 0)) from pg_proc p
         where oid >= 16384 or pronamespace <> 'pg_catalog'::regnamespace),
        (select sum(hashtextextended(p::text, 0)) from pg_policy p),
        (select sum(hashtextextended(row(oid, tgname, tgrelid, tgenabled, tgfoid, tgtype)::text, 0))
         from pg_trigger where oid >= 16384 and not tgisinternal),
        (select sum(hashtextextended(row(oid, adrelid, adnum, adbin)::text, 0)) from pg_attrdef d
         where not exists (select from pg_class c where c.oid = adrelid and (relpersistence = 't'
            or relnamespace = '_local_supabase'::regnamespace))),
        (select sum(hashtextextended(row(oid, conname, conrelid, contype, convalidated,
            pg_get_constraintdef(oid))::text, 0)) from pg_constraint
         where not exists (select from pg_class c where c.oid = conrelid and (relpersistence = 't'
            or relnamespace = '_local_supabase'::regnamespace))),
        (select sum(hashtextextended(n::text, 0)) from pg_namespace n where nspname not like 'pg\_%temp\_%'),
        (select sum(hashtextextended(row(oid, typname, typowner, typacl, typnotnull)::text, 0)) from pg_type
         where oid >= 16384 and typtype in ('d', 'e', 'r', 'm')),
        (select sum(hashtextextended(e::text, 0)) from pg_enum e),
        (select sum(hashtextextended(e::text, 0)) from pg_extension e),
        -- Without what Realtime sets when it starts, which may be after the state was kept.
        (select sum(hashtextextended(row(oid, pubname, pubowner, puballtables, pubinsert, pubupdate, pubdelete,
            pubtruncate, pubviaroot)::text, 0)) from pg_publication),
        (select sum(hashtextextended(e::text, 0)) from pg_publication_rel e),
        (select sum(hashtextextended(e::text, 0)) from pg_publication_namespace e),
        (select sum(hashtextextended(e::text, 0)) from pg_default_acl e),
        (select sum(hashtextextended(e::text, 0)) from pg_event_trigger e),
        (select sum(hashtextextended(e::text, 0)) from pg_foreign_server e),
        (select sum(hashtextextended(e::text, 0)) from pg_foreign_table e),
        (select sum(hashtextextended(e::text, 0)) from pg_db_role_setting e),
        (select sum(hashtextextended(row(oid, rolname, rolsuper, rolinherit, rolcanlogin, rolbypassrls)::text, 0))
         from pg_roles),
        (select sum(hashtextextended(e::text, 0)) from pg_auth_members e),
        (select sum(hashtextextended(e::text, 0)) from pg_largeobject_metadata e)
    ))
$$;

-- Keep all rows, so that `go_back` finds them. Changes count from here.
create or replace function _local_supabase.keep() returns void language plpgsql as $$
declare
    begins_at pg_lsn := pg_current_wal_flush_lsn();
    wanted record;
    rows_there boolean;
begin
    delete from _local_supabase.kept_state;
    delete from _local_supabase.kept_tables;
    delete from _local_supabase.kept_sequences;
    for wanted in select * from _local_supabase.own_tables loop
        execute format('drop table if exists _local_supabase.%I', 'kept_' || wanted.oid);
        rows_there := false;
        if wanted.kind = 'r' and wanted.columns <> '' then
            execute format('select exists (select from only %s)', wanted.oid::regclass) into rows_there;
        end if;
        if rows_there then
            execute format('create unlogged table _local_supabase.%I as select %s from only %s',
                'kept_' || wanted.oid, wanted.columns, wanted.oid::regclass);
        end if;
        insert into _local_supabase.kept_tables values (wanted.oid, wanted.filenode, wanted.is_logged, wanted.kind,
            wanted.columns, to_regclass(format('_local_supabase.%I', 'kept_' || wanted.oid)));
    end loop;
    insert into _local_supabase.kept_sequences
        select s.seqrelid, pg_sequence_last_value(s.seqrelid), s.seqstart from pg_sequence s
        join pg_class c on c.oid = s.seqrelid where c.relpersistence <> 't';
    insert into _local_supabase.kept_state (lsn, own_xid, schema_hash)
    values (begins_at, pg_current_xact_id()::xid, _local_supabase.schema_hash());
end
$$;

-- Put the rows and the sequences back. Returns the sessions of Auth that are gone with it, and whether the schema has
-- changed, in which case nothing is put back.
create or replace function _local_supabase.go_back(out schema_changed boolean, out sessions uuid[])
language plpgsql as $$
declare
    kept _local_supabase.kept_state;
    written oid[];
    changed record;
    ends_at pg_lsn := pg_current_wal_flush_lsn();
    catalogs_written boolean;
    everything boolean := false;
    views regclass[] := '{}';
    former uuid[];
    view regclass;
begin
    schema_changed := false;
    sessions := '{}';
    select * into strict kept from _local_supabase.kept_state;
    begin
        select coalesce(array_agg(distinct relfilenode), '{}') into written
        from _local_supabase.wal_blocks(kept.lsn, ends_at, false)
        where kept.lsn < ends_at and relforknumber = 0 and xid <> kept.own_xid
            and reldatabase in (0, (select oid from pg_database where datname = current_database()));
    exception when others then
        -- The server has recycled that part of its log.
        everything := true;
    end;
    if not everything then
        select exists (
            select from pg_class c where c.oid < 16384 and c.relnamespace = 'pg_catalog'::regnamespace
                and c.relkind = 'r' and pg_relation_filenode(c.oid) = any (written)
                and c.relname not in ('pg_statistic', 'pg_depend', 'pg_shdepend')
        ) into catalogs_written;
    end if;
    if (everything or catalogs_written) and _local_supabase.schema_hash() <> kept.schema_hash then
        schema_changed := true;
        return;
    end if;
    select coalesce(array_agg(id), '{}') into former from auth.sessions;
    set local session_replication_role = replica;
    for changed in
        select k.oid, k.kind, k.columns, k.copy from _local_supabase.kept_tables k
        where everything or not k.is_logged or k.filenode = any (written)
            or k.filenode <> coalesce(pg_relation_filenode(k.oid), 0)
    loop
        if changed.kind = 'm' then
            views := views || changed.oid::regclass;
            continue;
        end if;
        if pg_relation_size(changed.oid) > 4 * 1024 * 1024 then
            begin
                execute format('truncate only %s', changed.oid::regclass);
            exception when feature_not_supported then
                -- Another table refers to this one.
                execute format('delete from only %s', changed.oid::regclass);
            end;
        else
            execute format('delete from only %s', changed.oid::regclass);
        end if;
        if changed.copy is not null then
            execute format('insert into %s (%s) overriding system value select %s from %s',
                changed.oid::regclass, changed.columns, changed.columns, changed.copy);
        end if;
    end loop;
    perform setval(k.oid::regclass, coalesce(k.last_value, k.start_value), k.last_value is not null)
    from _local_supabase.kept_sequences k
    where pg_sequence_last_value(k.oid) is distinct from k.last_value;
    foreach view in array views loop
        execute format('refresh materialized view %s', view);
    end loop;
    update _local_supabase.kept_tables k set filenode = coalesce(pg_relation_filenode(k.oid), 0)
    where k.filenode <> coalesce(pg_relation_filenode(k.oid), 0);
    -- Counting from the beginning of this call, without its own changes, finds also what others write meanwhile.
    update _local_supabase.kept_state set lsn = ends_at, own_xid = pg_current_xact_id()::xid;
    select coalesce(array_agg(gone), '{}') into sessions
    from unnest(former) as gone where not exists (select from auth.sessions s where s.id = gone);
end
$$;

-- Make everything that is stored older, which is the same as if time had passed.
create or replace function _local_supabase.grow_older(by interval) returns void language plpgsql as $$
declare
    wanted record;
begin
    set local session_replication_role = replica;
    for wanted in
        select a.attrelid::regclass as name,
               string_agg(format('%I = %I - $1', a.attname, a.attname), ', ') as assignments
        from _local_supabase.own_tables t join pg_attribute a on a.attrelid = t.oid
        join pg_class c on c.oid = t.oid
        where t.kind = 'r' and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype)
            and c.relnamespace not in (select oid from pg_namespace where nspname in ('realtime', 'supabase_migrations'))
        group by a.attrelid
    loop
        execute format('update only %s set %s', wanted.name, wanted.assignments) using by;
    end loop;
end
$$;
