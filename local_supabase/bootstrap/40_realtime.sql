-- Realtime: the table behind private channels and broadcasts from the database, the functions that a project's own
-- SQL calls (schema realtime, as on a hosted project), and the gateway's helpers (schema _realtime).
-- Runs as the superuser, may run again.

do $$
begin
  if not exists (select from pg_roles where rolname = 'supabase_realtime_admin') then
    create role supabase_realtime_admin noinherit nologin noreplication;
  end if;
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end
$$;

-- Stored generated columns are part of a record, as they are on a hosted project.
alter publication supabase_realtime set (publish_generated_columns = stored);

grant supabase_realtime_admin to postgres;
create schema if not exists realtime authorization supabase_realtime_admin;
grant usage on schema realtime to postgres, anon, authenticated, service_role;
grant all on schema realtime to supabase_realtime_admin;

-- One row a broadcast from the database; policies on it decide who may join and write to private channels.
create table if not exists realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  id uuid not null default gen_random_uuid(),
  binary_payload bytea,
  broadcasted_at timestamp,
  primary key (id, inserted_at)
);
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;
create index if not exists messages_replay_index
  on realtime.messages (topic, inserted_at desc) where extension = 'broadcast' and private;
create index if not exists messages_inserted_at_index on realtime.messages (inserted_at);

do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime_messages_publication') then
    create publication supabase_realtime_messages_publication
      for table realtime.messages with (publish = 'insert');
  end if;
end
$$;

create or replace function realtime.topic() returns text
language sql stable
as $$ select nullif(current_setting('realtime.topic', true), '') $$;

-- Sends a JSON broadcast to a topic. A failure is a warning: it never breaks the caller's transaction.
create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql
as $$
declare
  message_id uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, payload, event, topic, private, extension)
  values (
    message_id,
    case when payload ? 'id' then payload else jsonb_set(payload, '{id}', to_jsonb(message_id)) end,
    event, topic, private, 'broadcast'
  );
exception when others then
  raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

-- Sends bytes to a topic; clients of protocol version 2.0.0 receive them.
create or replace function realtime.send_binary(payload bytea, event text, topic text, private boolean default true)
returns void
language plpgsql
as $$
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, binary_payload, event, topic, private, extension)
  values (gen_random_uuid(), payload, event, topic, private, 'broadcast');
exception when others then
  raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

-- For row triggers: broadcasts a row's change to a private topic.
create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new record, old record, level text default 'ROW'
)
returns void
language plpgsql
as $$
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  end if;
  if operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'Unexpected operation type: %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'old_record', old, 'record', new, 'operation', operation, 'table', table_name, 'schema', table_schema
    ),
    event_name, topic_name
  );
exception when others then
  raise exception 'Failed to process the row: %', sqlerrm;
end
$$;

alter function realtime.topic() owner to supabase_realtime_admin;
alter function realtime.send(jsonb, text, text, boolean) owner to supabase_realtime_admin;
alter function realtime.send_binary(bytea, text, text, boolean) owner to supabase_realtime_admin;
alter function realtime.broadcast_changes(text, text, text, text, text, record, record, text)
  owner to supabase_realtime_admin;

-- What follows is the gateway's own. Types and tables are named by Postgres itself (format, regtype), never by a client.
create schema if not exists _realtime;
revoke all on schema _realtime from public;

-- Compares two values of one type as the operator of a filter does; null when the comparison is null.
create or replace function _realtime.compare(operator text, type_oid oid, left_value text, right_value text)
returns boolean
language plpgsql stable
as $$
declare
  type_name text := format_type(type_oid, null);
  symbol text := case operator
    when 'eq' then '=' when 'neq' then '<>' when 'lt' then '<' when 'lte' then '<=' when 'gt' then '>'
    when 'gte' then '>=' when 'in' then '= any' when 'like' then 'like' when 'ilike' then 'ilike'
    when 'match' then '~' when 'imatch' then '~*' when 'isdistinct' then 'is distinct from'
  end;
  verdict boolean;
begin
  if symbol is null then
    raise exception 'unsupported equality operator: %', operator;
  end if;
  execute format(
    'select %L::%s %s (%L::%s)',
    left_value, type_name, symbol, right_value, type_name || case when operator = 'in' then '[]' else '' end
  ) into verdict;
  return verdict;
end
$$;

-- Checks one condition of a filter for a role and a table, and returns the column's type and the value as Postgres
-- writes it (several for `in`). Refuses with the messages that Realtime's clients know.
create or replace function _realtime.check_filter(
  entity oid, role_name text, column_name text, operator text, filter_value text,
  out type_oid oid, out canonical text[]
)
language plpgsql stable
as $$
declare
  type_name text;
begin
  select a.atttypid, format_type(a.atttypid, null) into type_oid, type_name
  from pg_attribute a
  where a.attrelid = entity and a.attname = column_name and a.attnum > 0 and not a.attisdropped
    and has_column_privilege(role_name, a.attrelid, a.attnum, 'SELECT');
  if type_oid is null then
    raise exception 'invalid column for filter %', column_name;
  end if;

  if operator = 'in' then
    execute format('select array(select case when e is not null then format(''%%s'', e) end from unnest(%L::%s[]) as e)',
      filter_value, type_name) into canonical;
    if cardinality(canonical) > 100 then
      raise exception 'too many values for `in` filter. Maximum 100';
    end if;
  elsif operator = 'is' then
    if filter_value not in ('null', 'true', 'false', 'unknown') then
      raise exception 'invalid value for is filter: must be null, true, false, or unknown';
    end if;
    if filter_value <> 'null' and type_oid <> 'boolean'::regtype then
      raise exception 'is % filter requires a boolean column, got %', filter_value, type_name;
    end if;
    canonical := array[filter_value];
    return;
  elsif operator in ('match', 'imatch') then
    begin
      perform '' ~ filter_value;
    exception when others then
      raise exception 'invalid regular expression for % filter: %', operator, sqlerrm;
    end;
    canonical := array[filter_value];
  elsif operator in ('like', 'ilike') then
    canonical := array[filter_value];
  else
    execute format('select array[format(''%%s'', %L::%s)]', filter_value, type_name) into canonical;
  end if;

  begin
    perform _realtime.compare(operator, type_oid, case when operator = 'in' then null else filter_value end, filter_value);
  exception when others then
    raise exception 'operator % is not supported on column % of type %: %', operator, column_name, type_name, sqlerrm;
  end;
end
$$;

-- Alters publications without changing what they publish, so that replication streams look at them again. A project
-- may have made its publication anew, and stored generated columns are part of a record wherever it came from.
create or replace function _realtime.touch_publications(names text[])
returns void
language plpgsql
as $$
declare
  name text;
begin
  for name in select pubname from pg_publication where pubname = any(names) order by pubname loop
    execute format('alter publication %I set (publish_generated_columns = stored)', name);
  end loop;
end
$$;

-- Prepares, in this session, the statement that says which of the given primary keys a caller can see now.
-- Its parameter is a JSON array of keys, each an array of texts; it returns their positions, from 1.
create or replace function _realtime.prepare_visibility(statement_name text, entity oid, key_columns text[])
returns void
language plpgsql
as $$
declare
  condition text;
begin
  select string_agg(
    format('x.%I = (k.value ->> %s)::%s', a.attname, c.position - 1, format_type(a.atttypid, a.atttypmod)), ' and ')
  into condition
  from unnest(key_columns) with ordinality as c(name, position)
  join pg_attribute a on a.attrelid = entity and a.attname = c.name;
  if exists (select from pg_prepared_statements where name = statement_name) then
    execute format('deallocate %I', statement_name);
  end if;
  execute format(
    -- The limit makes it a look-up of each key, whatever the planner thinks of the length of the array.
    'prepare %I(text) as select array_agg(k.position::int) from json_array_elements($1::json) '
    'with ordinality as k(value, position), lateral (select from %s as x where %s limit 1) as seen',
    statement_name, entity::regclass, condition
  );
end
$$;

-- Waits until transactions that the log already has are visible: a commit is flushed, and so streamed, a moment before
-- others can see it. The numbers are those of the log, without their epoch.
create or replace function _realtime.await_visible(xids bigint[])
returns void
language plpgsql volatile
as $$
declare
  modulus constant bigint := 4294967296;
  now_seen pg_snapshot;
  next_xid bigint;
begin
  loop
    now_seen := pg_current_snapshot();
    next_xid := pg_snapshot_xmax(now_seen)::text::bigint % modulus;
    exit when not exists (
      select from unnest(xids) as committed(xid)
      -- At or after the snapshot's end, on a circle of 2^32 numbers.
      where (committed.xid - next_xid + modulus) % modulus < modulus / 2
        or committed.xid in (select x::text::bigint % modulus from pg_snapshot_xip(now_seen) as x)
    );
    perform pg_sleep(0.0001);
  end loop;
end
$$;

-- For each of several callers, the positions of the keys that row level security lets it see. A policy that raises
-- for one caller hides the rows from that caller only.
create or replace function _realtime.visible_rows(
  statement_name text, roles text[], claims text[], keys text, xids bigint[]
)
returns table (caller int, positions int[])
language plpgsql
as $$
begin
  perform _realtime.await_visible(xids);
  for number in 1 .. cardinality(roles) loop
    caller := number;
    begin
      perform set_config('role', roles[number], true), set_config('request.jwt.claims', claims[number], true);
      execute format('execute %I(%L)', statement_name, keys) into positions;
    exception when others then
      positions := null;
      raise warning 'a policy failed for role %: %', roles[number], sqlerrm;
    end;
    perform set_config('role', 'none', true);
    return next;
  end loop;
end
$$;

revoke all on all functions in schema _realtime from public;

-- Takes a caller's role and settings until the end of the transaction, as policies of private channels see them.
create or replace function _realtime.become(
  topic text, role_name text, claims text, subject text, headers text
)
returns void
language sql volatile
as $$
  select set_config('request.jwt.claims', claims, true), set_config('request.jwt.claim.sub', subject, true),
         set_config('request.jwt.claim.role', role_name, true), set_config('request.headers', headers, true),
         set_config('realtime.topic', topic, true), set_config('role', role_name, true)
$$;

-- Which probe messages of a topic a caller can see. The probes are undone with the block's savepoint.
create or replace function _realtime.read_policies(
  topic_name text, role_name text, claims text, subject text, headers text, with_presence boolean,
  out broadcast boolean, out presence boolean
)
language plpgsql
as $$
declare
  broadcast_id uuid := gen_random_uuid();
  presence_id uuid := gen_random_uuid();
begin
  begin
    insert into realtime.messages (id, topic, extension) values (broadcast_id, topic_name, 'broadcast');
    if with_presence then
      insert into realtime.messages (id, topic, extension) values (presence_id, topic_name, 'presence');
    end if;
    perform _realtime.become(topic_name, role_name, claims, subject, headers);
    select coalesce(bool_or(m.id = broadcast_id), false), coalesce(bool_or(m.id = presence_id), false)
    into broadcast, presence
    from realtime.messages as m
    where m.topic = topic_name and m.id in (broadcast_id, presence_id);
    raise sqlstate 'RTUND';
  exception when sqlstate 'RTUND' then
    null;
  end;
end
$$;

-- Whether a caller may insert a message of an extension into a topic; the probe is undone.
create or replace function _realtime.may_write(
  topic_name text, role_name text, claims text, subject text, headers text, extension_name text
)
returns boolean
language plpgsql
as $$
begin
  begin
    perform _realtime.become(topic_name, role_name, claims, subject, headers);
    insert into realtime.messages (topic, extension) values (topic_name, extension_name);
    raise sqlstate 'RTUND';
  exception
    when sqlstate 'RTUND' then
      return true;
    when insufficient_privilege then
      return false;
  end;
end
$$;

revoke all on all functions in schema _realtime from public;
