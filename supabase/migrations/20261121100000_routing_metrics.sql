-- What requests to models were routed where, and what they cost: one row a decision, written once and never changed.
--
-- What has to be exact over many rows (the month, the forecast, the budgets) is not counted again by everybody who
-- looks: routing_daily holds the sums of each day, kept by a trigger in the transaction that adds to them.

create table public.routing_metrics (
    id uuid constraint routing_metrics_pkey primary key default gen_random_uuid(),
    user_id uuid not null default auth.uid()
        constraint routing_metrics_user_id_fkey references public.users (id) on delete cascade,
    request_id text not null,
    "timestamp" timestamptz not null default now(),
    provider text not null,
    model text not null,
    route text not null default 'default',
    auto_route boolean not null default false,
    prompt_fingerprint text,
    prompt_length integer,
    prompt text,
    input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    cost numeric not null default 0,
    latency_ms integer,
    success boolean not null default true,
    error_kind text,
    fallback boolean not null default false,
    fallback_from text,
    dropped integer not null default 0,
    metadata jsonb not null default '{}',
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint routing_metrics_request_key unique (user_id, request_id),
    constraint routing_metrics_request_id_length check (char_length(request_id) between 1 and 200),
    constraint routing_metrics_timestamp_range check ("timestamp" >= '2020-01-01' and "timestamp" < 'infinity'),
    constraint routing_metrics_provider_length check (char_length(provider) between 1 and 60 and provider ~ '\S'),
    constraint routing_metrics_model_length check (char_length(model) between 1 and 120 and model ~ '\S'),
    constraint routing_metrics_route_length check (char_length(route) between 1 and 80 and route ~ '\S'),
    constraint routing_metrics_prompt_fingerprint_form check (prompt_fingerprint ~ '^[0-9a-f]{64}$'),
    constraint routing_metrics_prompt_length_range check (prompt_length >= 0),
    constraint routing_metrics_prompt_size check (char_length(prompt) <= 20000),
    constraint routing_metrics_input_tokens_range check (input_tokens >= 0),
    constraint routing_metrics_output_tokens_range check (output_tokens >= 0),
    -- NaN is above everything, so the upper end refuses it too.
    constraint routing_metrics_cost_range check (cost between 0 and 1000000 and scale(cost) <= 15),
    constraint routing_metrics_latency_ms_range check (latency_ms between 0 and 86400000),
    constraint routing_metrics_error_kind_length check (char_length(error_kind) between 1 and 80),
    constraint routing_metrics_success_or_error check (success = (error_kind is null)),
    constraint routing_metrics_fallback_from_length check (char_length(fallback_from) between 1 and 120),
    constraint routing_metrics_fallback_known check (fallback or fallback_from is null),
    constraint routing_metrics_dropped_range check (dropped >= 0),
    constraint routing_metrics_metadata_form check (
        jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 20000
    )
);
comment on table public.routing_metrics is 'One row for each routing decision. Inserted once, never changed.';
comment on column public.routing_metrics.request_id is 'The caller''s own id of the request: telling it twice counts once.';
comment on column public.routing_metrics."timestamp" is 'When it was decided, by the collector''s clock, never in the future.';
comment on column public.routing_metrics.route is 'The rule or class by which the router chose.';
comment on column public.routing_metrics.prompt_fingerprint is
    'HMAC-SHA-256 of the prompt with the person''s id: tells repeated prompts, not what they say.';
comment on column public.routing_metrics.prompt is 'The prompt itself, only where the collector was asked to keep prompts.';
comment on column public.routing_metrics.cost is 'US dollars.';
comment on column public.routing_metrics.fallback_from is 'The model that was tried first.';
comment on column public.routing_metrics.dropped is 'Decisions before this one that the collector had no room for.';
comment on constraint routing_metrics_request_id_length on public.routing_metrics is 'A request''s id has 1 to 200 characters.';
comment on constraint routing_metrics_timestamp_range on public.routing_metrics is 'A decision was made in 2020 or later.';
comment on constraint routing_metrics_provider_length on public.routing_metrics is 'A provider has 1 to 60 characters.';
comment on constraint routing_metrics_model_length on public.routing_metrics is 'A model has 1 to 120 characters.';
comment on constraint routing_metrics_route_length on public.routing_metrics is 'A route has 1 to 80 characters.';
comment on constraint routing_metrics_prompt_fingerprint_form on public.routing_metrics is 'A fingerprint is 64 hexadecimal digits.';
comment on constraint routing_metrics_prompt_length_range on public.routing_metrics is 'A prompt cannot be shorter than nothing.';
comment on constraint routing_metrics_prompt_size on public.routing_metrics is 'A prompt is kept up to 20,000 characters.';
comment on constraint routing_metrics_input_tokens_range on public.routing_metrics is 'Tokens cannot be fewer than none.';
comment on constraint routing_metrics_output_tokens_range on public.routing_metrics is 'Tokens cannot be fewer than none.';
comment on constraint routing_metrics_cost_range on public.routing_metrics is 'A cost is between 0 and 1,000,000 dollars.';
comment on constraint routing_metrics_latency_ms_range on public.routing_metrics is 'A latency is between 0 ms and one day.';
comment on constraint routing_metrics_error_kind_length on public.routing_metrics is 'A kind of error has 1 to 80 characters.';
comment on constraint routing_metrics_success_or_error on public.routing_metrics is 'A request either succeeded or has a kind of error.';
comment on constraint routing_metrics_fallback_from_length on public.routing_metrics is 'A model has 1 to 120 characters.';
comment on constraint routing_metrics_fallback_known on public.routing_metrics is 'Only a fallback has a model that was tried first.';
comment on constraint routing_metrics_dropped_range on public.routing_metrics is 'What was dropped cannot be fewer than none.';
comment on constraint routing_metrics_metadata_form on public.routing_metrics is 'Metadata is a JSON object of up to 20 kB.';

create index routing_metrics_user_id_idx on public.routing_metrics (user_id, "timestamp" desc, id desc);
create index routing_metrics_newest_idx on public.routing_metrics ("timestamp" desc, id desc);

create table public.routing_daily (
    id uuid constraint routing_daily_pkey primary key default gen_random_uuid(),
    user_id uuid not null constraint routing_daily_user_id_fkey references public.users (id) on delete cascade,
    day date not null,
    provider text not null,
    model text not null,
    route text not null,
    requests bigint not null,
    errors bigint not null,
    fallbacks bigint not null,
    auto_routed bigint not null,
    dropped bigint not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    cost numeric not null,
    latencies jsonb not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint routing_daily_sums_key unique (user_id, day, provider, model, route)
);
comment on table public.routing_daily is 'The sums of routing_metrics for each day (UTC), person, provider, model and route.';
comment on column public.routing_daily.latencies is
    'Requests by latency: {"48": 3} means that 3 took from 1.1^48 to 1.1^49 ms, so a percentile is within 5 %.';
create index routing_daily_newest_idx on public.routing_daily (day desc, id desc);
create index routing_daily_user_id_idx on public.routing_daily (user_id, day desc, id desc);

create function private.latency_bucket(latency_ms integer) returns integer
language sql immutable set search_path = ''
as $$ select floor(ln(greatest(latency_ms, 1)::double precision) / ln(1.1::double precision) + 1e-9)::integer $$;
comment on function private.latency_bucket(integer) is 'The power of 1.1 below a latency (db.routing_models.BUCKET).';

create function private.counted_latencies(latencies integer[]) returns jsonb
language sql immutable set search_path = ''
as $$
    select coalesce(jsonb_object_agg(counted.bucket, counted.requests), '{}')
    from (
        select private.latency_bucket(latency)::text as bucket, count(*) as requests
        from unnest(latencies) as latency
        where latency is not null
        group by 1
    ) as counted
$$;

create function private.added_counts(one jsonb, other jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
    select coalesce(jsonb_object_agg(summed.bucket, summed.requests), '{}')
    from (
        select entry.key as bucket, sum(entry.value::bigint) as requests
        from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) as entry
        group by entry.key
    ) as summed
$$;

create function private.note_when_routed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    -- Tomorrow's cost is nobody's today: a clock that is ahead must not open a day before it comes.
    new."timestamp" := least(new."timestamp", now());
    return new;
end
$$;

create function private.sum_up_routing() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into public.routing_daily as daily (
        user_id, day, provider, model, route,
        requests, errors, fallbacks, auto_routed, dropped, input_tokens, output_tokens, cost, latencies
    )
    select
        fresh.user_id, (fresh."timestamp" at time zone 'UTC')::date, fresh.provider, fresh.model, fresh.route,
        count(*), count(*) filter (where not fresh.success), count(*) filter (where fresh.fallback),
        count(*) filter (where fresh.auto_route), sum(fresh.dropped), sum(fresh.input_tokens),
        sum(fresh.output_tokens), sum(fresh.cost), private.counted_latencies(array_agg(fresh.latency_ms))
    from fresh
    group by 1, 2, 3, 4, 5
    order by 1, 2, 3, 4, 5 -- two batches lock the sums they share in the same order
    on conflict on constraint routing_daily_sums_key do update set
        requests = daily.requests + excluded.requests,
        errors = daily.errors + excluded.errors,
        fallbacks = daily.fallbacks + excluded.fallbacks,
        auto_routed = daily.auto_routed + excluded.auto_routed,
        dropped = daily.dropped + excluded.dropped,
        input_tokens = daily.input_tokens + excluded.input_tokens,
        output_tokens = daily.output_tokens + excluded.output_tokens,
        cost = daily.cost + excluded.cost,
        latencies = private.added_counts(daily.latencies, excluded.latencies);
    return null;
end
$$;

create trigger guard_key before update on public.routing_metrics
    for each row execute function private.refuse('What was routed cannot be changed.');
create trigger note_when before insert on public.routing_metrics
    for each row execute function private.note_when_routed();
create trigger stamp_row before insert or update on public.routing_metrics
    for each row execute function private.stamp_row();
create trigger sum_up after insert on public.routing_metrics
    referencing new table as fresh
    for each statement execute function private.sum_up_routing();
create trigger log_change after insert or update or delete on public.routing_metrics
    for each row execute function private.log_change('user_id,admins', 'id');

create trigger guard_key before update on public.routing_daily
    for each row when (
        (old.id, old.user_id, old.day, old.provider, old.model, old.route)
        is distinct from (new.id, new.user_id, new.day, new.provider, new.model, new.route)
    )
    execute function private.refuse('What the sums of a day are of cannot be changed.');
create trigger stamp_row before insert or update on public.routing_daily
    for each row execute function private.stamp_row();
create trigger log_change after insert or update or delete on public.routing_daily
    for each row execute function private.log_change('user_id,admins', 'id');

-- Old decisions go, the sums of their days stay.
create function private.prune_routing(older_than timestamptz, at_most bigint) returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
    pruned bigint;
begin
    delete from public.routing_metrics as metric
    using (
        select id from public.routing_metrics
        where "timestamp" < older_than order by "timestamp" limit at_most for update skip locked
    ) as expired
    where metric.id = expired.id;
    get diagnostics pruned = row_count;
    return pruned;
end
$$;

create function public.prune_routing_metrics(retention interval default '400 days') returns bigint
language plpgsql security definer set search_path = ''
as $$
begin
    if retention is null or retention < interval '0' then
        raise exception using errcode = '22023', message = 'The retention of routing metrics is an interval of zero or more.';
    end if;
    return private.prune_routing(now() - retention, 9223372036854775807);
end
$$;
comment on function public.prune_routing_metrics(interval) is
    'Forgets decisions older than this and says how many; the sums of their days stay. Not for the API.';

create function private.prune_routing_now_and_then() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if random() < 0.002 then
        perform private.prune_routing(now() - interval '400 days', 1000);
    end if;
    return null;
end
$$;
create trigger prune_now_and_then after insert on public.routing_metrics
    for each statement execute function private.prune_routing_now_and_then();

revoke execute on function
    private.latency_bucket(integer), private.counted_latencies(integer[]), private.added_counts(jsonb, jsonb),
    private.note_when_routed(), private.sum_up_routing(), private.prune_routing(timestamptz, bigint),
    private.prune_routing_now_and_then(), public.prune_routing_metrics(interval)
    from public, anon, authenticated, service_role;
grant execute on function public.prune_routing_metrics(interval) to service_role;

do $$
begin
    if exists (select from pg_catalog.pg_extension where extname = 'pg_cron') then
        execute $cron$
            select cron.schedule('tavern-prune-routing-metrics', '27 3 * * *', 'select public.prune_routing_metrics()')
        $cron$;
    end if;
end
$$;

alter table public.routing_metrics enable row level security;
alter table public.routing_daily enable row level security;
revoke all on public.routing_metrics, public.routing_daily from public, anon, authenticated, service_role;
-- With SELECT and no policy a visitor sees no row; without it, Realtime would tell them that there was one.
grant select on public.routing_metrics, public.routing_daily to anon;
grant select, insert on public.routing_metrics to authenticated;
grant select on public.routing_daily to authenticated;
grant select, insert, delete on public.routing_metrics to service_role;
grant select, delete on public.routing_daily to service_role;

create policy "The owner and admins may see what was routed" on public.routing_metrics
    for select to authenticated using (user_id = (select auth.uid()) or (select private.is_admin()));
create policy "Members may add what they routed" on public.routing_metrics
    for insert to authenticated with check (user_id = (select auth.uid()));
create policy "The owner and admins may see the sums of a day" on public.routing_daily
    for select to authenticated using (user_id = (select auth.uid()) or (select private.is_admin()));

alter publication supabase_realtime add table public.routing_metrics, public.routing_daily;
