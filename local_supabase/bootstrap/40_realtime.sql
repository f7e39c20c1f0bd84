-- Realtime: the table behind private channels and broadcasts from the database, the functions that a project's own
-- SQL calls (schema realtime, as on a hosted project), and the gateway's helpers (schema _realtime).
-- Runs as the superuser. Running it again is harmless.

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

-- One row for each broadcast from the database. Its policies decide who may join and write to private channels.
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

-- Sends a JSON broadcast to a topic. A failure only raises a warning, so that the caller's transaction continues.
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

-- Sends bytes to a topic. Only clients of protocol version 2.0.0 receive them.
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

-- The gateway's own functions. Names of types and tables come from Postgres (format, regtype), never from a client.
create schema if not exists _realtime;
revoke all on schema _realtime from public;

-- Alters publications without changing what they publish, so that replication streams read their definition again.
-- It sets publish_generated_columns, because a project may have created its publication again without it.
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

-- Waits until transactions from the write-ahead log are visible: Postgres flushes a commit, and so streams it, shortly
-- before other transactions can see it. The transaction ids are those of the log, without their epoch.
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
      -- At or after the snapshot's end. Transaction ids wrap around at 2^32.
      where (committed.xid - next_xid + modulus) % modulus < modulus / 2
        or committed.xid in (select x::text::bigint % modulus from pg_snapshot_xip(now_seen) as x)
    );
    perform pg_sleep(0.0001);
  end loop;
end
$$;

-- Sets a caller's role, and the settings that policies of private channels read, until the end of the transaction.
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

revoke all on all functions in schema _realtime from public;
