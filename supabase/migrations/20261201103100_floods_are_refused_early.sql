-- A statement with more rows than fit into a quota at once is refused at the first row too many.
--
-- private.spend_quota() sees the rows only when all are written: 90,000 lines of two bytes kept a processor busy until the
-- statement's timeout. Now a count stands beside it, in a setting for each table and kind of statement. It needs no
-- reading of buckets; what it lets pass, private.spend_quota() still counts.

create function private.allow_rows() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    allowed integer;
begin
    -- As in private.spend_quota(): everything else is free.
    if auth.uid() is not null and private.via_api() then
        select rows_at_once into allowed from private.quotas where table_name = tg_table_name;
    end if;
    perform set_config(
        'quota.' || tg_table_name || '_' || lower(tg_op), coalesce(allowed::text, ''), true
    );
    return null;
end
$$;
comment on function private.allow_rows() is 'Statement triggers: how many rows the statement may write.';
revoke execute on function private.allow_rows() from public, anon, authenticated, service_role;

create function private.allow_row() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    setting constant text := 'quota.' || tg_table_name || '_' || lower(tg_op);
    allowed constant text := coalesce(current_setting(setting, true), '');
    quota private.quotas;
begin
    if allowed = '' then
        return new;
    end if;
    if allowed::integer <= 0 then
        select * into quota from private.quotas where table_name = tg_table_name;
        raise exception using errcode = 'PT429', message = 'That is too much at once. Please send it in smaller parts.',
            hint = format('At most %s rows and %s bytes at once.', quota.rows_at_once, quota.bytes_at_once);
    end if;
    perform set_config(setting, (allowed::integer - 1)::text, true);
    return new;
end
$$;
comment on function private.allow_row() is 'Row triggers: counts down what private.allow_rows() allows, and refuses the first row too many.';
revoke execute on function private.allow_row() from public, anon, authenticated, service_role;

-- Their names come first, since triggers run in the order of names.
create function private.limit_rows(wanted text) returns void
language plpgsql security definer set search_path = ''
as $$
begin
    execute format(
        'create trigger allow_rows_insert before insert on public.%1$I
             for each statement when (pg_trigger_depth() = 0) execute function private.allow_rows();
         create trigger allow_rows_update before update on public.%1$I
             for each statement when (pg_trigger_depth() = 0) execute function private.allow_rows();
         create trigger allow_row_insert before insert on public.%1$I
             for each row when (pg_trigger_depth() = 0) execute function private.allow_row();
         create trigger allow_row_update before update on public.%1$I
             for each row when (pg_trigger_depth() = 0) execute function private.allow_row();',
        wanted
    );
end
$$;
comment on function private.limit_rows(text) is 'Puts the triggers of private.allow_rows() on a table of `public`.';
revoke execute on function private.limit_rows(text) from public, anon, authenticated, service_role;
select private.limit_rows(table_name) from private.quotas;

create or replace function private.limit_writes(wanted text) returns void
language plpgsql security definer set search_path = ''
as $$
begin
    execute format(
        'create trigger spend_quota_insert after insert on public.%1$I referencing new table as affected
             for each statement execute function private.spend_quota();
         create trigger spend_quota_update after update on public.%1$I referencing new table as affected
             for each statement execute function private.spend_quota();',
        wanted
    );
    perform private.limit_rows(wanted);
end
$$;
comment on function private.limit_writes(text) is
    'Puts the triggers of private.spend_quota() and private.allow_rows() on a table of `public`.';
