-- Realtime logs in as a role that can become the roles of the API and nothing else, as PostgREST does: policies run code
-- of the project, which can leave the role under which it is called. Runs as the superuser. Running it again is harmless.

set search_path = pg_catalog;

do $$
begin
  if not exists (select from pg_roles where rolname = 'supabase_realtime_authenticator') then
    create role supabase_realtime_authenticator login noinherit;
  end if;
  -- Reads the text of policies as Postgres would, which names functions in schemas that the roles of the API cannot use.
  if not exists (select from pg_roles where rolname = 'supabase_realtime_policies') then
    create role supabase_realtime_policies nologin;
  end if;
end
$$;
-- So it can become what `authenticator` can, also roles that a project adds.
grant authenticator to supabase_realtime_authenticator with inherit false, set true;
grant pg_read_all_data to supabase_realtime_policies with inherit true, set false;
grant usage on schema _realtime to supabase_realtime_authenticator;

-- Prepares, in this session, the statement that finds which of the given primary keys a role can see now. Its parameter
-- is a JSON array of keys, each an array of texts. It returns the positions of the keys, from 1. Returns false if the
-- role may not use the schema of the table, or cannot be taken.
drop function if exists _realtime.prepare_visibility(text, oid, text[]);
create or replace function _realtime.prepare_visibility(
  statement_name text, entity oid, key_columns text[], role_name text
)
returns boolean
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
  begin
    -- Under another role, Postgres would parse it again each time.
    perform set_config('role', role_name, true);
    execute format(
      -- The limit forces an index look-up of each key, whatever length of the array the planner expects.
      'prepare %I(text) as select array_agg(k.position::int) from json_array_elements($1::json) '
      'with ordinality as k(value, position), lateral (select from %s as x where %s limit 1) as seen',
      statement_name, entity::regclass, condition
    );
    perform set_config('role', 'none', true);
  exception
    when insufficient_privilege or invalid_parameter_value then
      -- The settings of this block are undone with it.
      raise warning 'a policy failed for role %: %', role_name, sqlerrm;
      return false;
  end;
  return true;
end
$$;

-- Returns for each caller the positions of the keys that row-level security lets it see, and how long that took. A policy
-- that raises an error for a caller hides the rows only from that caller. When the statement is cancelled, by its time
-- limit or by somebody, the caller at work is not finished, and those after it are missing. Each caller has a statement.
drop function if exists _realtime.visible_rows(text, text[], text[], text, bigint[]);
drop function if exists _realtime.visible_rows(text, text[], text[], text);
create or replace function _realtime.visible_rows(statement_names text[], roles text[], claims text[], keys text)
returns table (caller int, positions int[], seconds float8, finished boolean)
language plpgsql
as $$
declare
  began timestamptz;
  seen int[];
begin
  for number in 1 .. cardinality(roles) loop
    caller := number;
    positions := null;
    finished := true;
    began := clock_timestamp();
    begin
      perform set_config('role', roles[number], true), set_config('request.jwt.claims', claims[number], true);
      execute format('execute %I(%L)', statement_names[number], keys) into seen;
      positions := seen;
      -- Undoes what policies wrote, and settings that they left to the session.
      raise sqlstate 'RTUND';
    exception
      when sqlstate 'RTUND' then
        null;
      when query_canceled then
        finished := false;
      when assert_failure or others then
        raise warning 'a policy failed for role %: %', roles[number], sqlerrm;
    end;
    seconds := extract(epoch from clock_timestamp() - began);
    return next;
    -- A statement has one time limit, so more work would have none.
    exit when not finished;
  end loop;
end
$$;

-- Prepares, in this session, the statement that finds which of the given deleted rows a role could see, from the text of
-- the policies: a caller needs no right to a schema to be judged by them. Its parameter is a JSON array of rows, each an
-- array of the texts of the identity's columns. A policy that needs more of a row counts as if it let everybody see it.
-- Returns false if nothing is left to ask. Whatever runs while the policies are parsed (the constants of a domain's array
-- do) has the rights of this function's owner, who may only read.
drop function if exists _realtime.prepare_deleted_condition(text, oid, text, text[]);
create function _realtime.prepare_deleted_condition(
  statement_name text, entity oid, role_name text, identity_columns text[]
)
returns boolean
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  policy record;
  logged text;
  statement text;
  permitting text[] := '{}';
  restricting text[] := '{}';
  all_permitting_known boolean := true;
begin
  if exists (select from pg_prepared_statements where name = statement_name) then
    execute format('deallocate %I', statement_name);
  end if;
  select string_agg(
    format('(_realtime_row._realtime_value ->> %s)::%s as %I',
      c.position - 1, format_type(a.atttypid, a.atttypmod), a.attname), ', ')
  into logged
  from unnest(identity_columns) with ordinality as c(name, position)
  join pg_attribute a on a.attrelid = entity and a.attname = c.name;
  -- A column that was not logged does not exist here. The long names keep it from being taken for another.
  statement := format(
    'prepare %I(text) as select array_agg(_realtime_position::int) from json_array_elements($1::json) '
    'with ordinality as _realtime_row(_realtime_value, _realtime_position), '
    'lateral (select from (select %s) as %I where ',
    statement_name, logged, (select relname from pg_class where oid = entity)
  );
  for policy in
    select polpermissive as permits, '(' || coalesce(pg_get_expr(polqual, polrelid), 'true') || ')' as condition,
           exists (
             select from pg_depend d join pg_class c on c.oid = d.refobjid
             where d.classid = 'pg_policy'::regclass and d.objid = p.oid
               and d.refclassid = 'pg_class'::regclass and c.oid <> entity and c.relrowsecurity
           ) as reads_others
    from pg_policy p
    where polrelid = entity and polcmd in ('r', '*') and exists (
      select from unnest(polroles) as of_role where of_role = 0 or pg_has_role(role_name, of_role, 'USAGE')
    )
  loop
    begin
      if policy.reads_others then
        -- Postgres would parse it again under the caller's role, which may lack the right to a schema in it.
        raise sqlstate 'RTUND';
      end if;
      execute statement || policy.condition || ') as seen';
      execute format('deallocate %I', statement_name);
      if policy.permits then
        permitting := permitting || policy.condition;
      else
        restricting := restricting || policy.condition;
      end if;
    exception when others then
      all_permitting_known := all_permitting_known and not policy.permits;
    end;
  end loop;
  if not all_permitting_known and restricting = '{}' then
    return false;
  end if;
  -- As Postgres combines policies: one that permits, and all that restrict.
  if all_permitting_known then
    restricting := restricting || format('(%s)', coalesce(nullif(array_to_string(permitting, ' or '), ''), 'false'));
  end if;
  execute statement || array_to_string(restricting, ' and ') || ') as seen';
  return true;
end
$$;
alter function _realtime.prepare_deleted_condition(text, oid, text, text[]) owner to supabase_realtime_policies;

-- Prepares the statement for deleted rows. Returns false if the policies of the role cannot be asked about them, or not
-- under its rights.
create or replace function _realtime.prepare_deleted_visibility(
  statement_name text, entity oid, role_name text, identity_columns text[]
)
returns boolean
language plpgsql
as $$
declare
  answers boolean := false;
begin
  begin
    if _realtime.prepare_deleted_condition(statement_name, entity, role_name, identity_columns) then
      perform set_config('role', role_name, true);
      execute format('execute %I(%L)', statement_name, '[]');
      answers := true;
    end if;
    raise sqlstate 'RTUND';
  exception
    when sqlstate 'RTUND' then
      null;
    when assert_failure or others then
      answers := false;
  end;
  return answers;
end
$$;

-- Inserts probe messages into a topic and returns which ones a caller can see. The block's savepoint undoes them.
create or replace function _realtime.insert_probe(message_id uuid, topic_name text, extension_name text)
returns void
language sql volatile security definer set search_path = pg_catalog
as $$ insert into realtime.messages (id, topic, extension) values (message_id, topic_name, extension_name) $$;
alter function _realtime.insert_probe(uuid, text, text) owner to supabase_realtime_admin;

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
  broadcast := false;
  presence := false;
  begin
    perform _realtime.insert_probe(broadcast_id, topic_name, 'broadcast');
    if with_presence then
      perform _realtime.insert_probe(presence_id, topic_name, 'presence');
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

-- Whether a caller may insert a message of an extension into a topic. The block's savepoint undoes the probe.
create or replace function _realtime.may_write(
  topic_name text, role_name text, claims text, subject text, headers text, extension_name text
)
returns boolean
language plpgsql
as $$
declare
  allowed boolean := false;
begin
  begin
    perform _realtime.become(topic_name, role_name, claims, subject, headers);
    insert into realtime.messages (topic, extension) values (topic_name, extension_name);
    allowed := true;
    raise sqlstate 'RTUND';
  exception
    when sqlstate 'RTUND' or insufficient_privilege then
      null;
  end;
  return allowed;
end
$$;

-- The newest messages of a private topic, past the policies: whoever asks has checked them.
create or replace function _realtime.recent_messages(topic_name text, since timestamp, at_most int)
returns table (id text, event text, payload text, binary_payload bytea, inserted_at timestamp)
language sql stable security definer set search_path = pg_catalog
as $$
  select m.id::text, m.event, m.payload::text, m.binary_payload, m.inserted_at
  from realtime.messages as m
  where m.topic = topic_name and m.private and m.extension = 'broadcast' and m.inserted_at >= since
  order by m.inserted_at desc
  limit at_most
$$;
create or replace function _realtime.delete_messages(older_than_hours int)
returns void
language sql volatile security definer set search_path = pg_catalog
as $$
  delete from realtime.messages
  where inserted_at < (now() at time zone 'utc') - make_interval(hours => older_than_hours)
$$;
alter function _realtime.recent_messages(text, timestamp, int) owner to supabase_realtime_admin;
alter function _realtime.delete_messages(int) owner to supabase_realtime_admin;

revoke all on all functions in schema _realtime from public;
grant execute on function
  _realtime.await_visible(bigint[]), _realtime.become(text, text, text, text, text),
  _realtime.check_bindings(text, text, json), _realtime.check_filter(oid, text, text, text, text),
  _realtime.compare(text, oid, text, text), _realtime.delete_messages(int),
  _realtime.insert_probe(uuid, text, text), _realtime.may_write(text, text, text, text, text, text),
  _realtime.prepare_deleted_condition(text, oid, text, text[]),
  _realtime.prepare_deleted_visibility(text, oid, text, text[]),
  _realtime.prepare_visibility(text, oid, text[], text),
  _realtime.read_policies(text, text, text, text, text, boolean), _realtime.recent_messages(text, timestamp, int),
  _realtime.visible_rows(text[], text[], text[], text)
to supabase_realtime_authenticator;
