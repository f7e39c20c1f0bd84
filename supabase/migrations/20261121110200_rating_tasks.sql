-- Campaigns and their tasks. What a rater must not know before voting is in tables of its own, which row level security
-- can close: rating_task_contents opens with a lease, rating_task_secrets (who the candidates are, the gold answer) never
-- opens for raters; reveal_task() tells them after their vote.

create table public.campaigns (
    id uuid constraint campaigns_pkey primary key default gen_random_uuid(),
    tenant_id text not null
        constraint campaigns_tenant_id_fkey references public.tenants (id) on delete cascade,
    name text not null,
    brand_id text,
    guidelines text not null default '',
    task_types jsonb not null default '[]',
    judgments_per_task integer not null default 3,
    lease_seconds integer not null default 600,
    undo_seconds integer not null default 60,
    gold_share double precision not null default 0,
    status text not null default 'draft',
    created_by uuid default auth.uid(), -- no foreign key: the campaign outlives the account
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint campaigns_tenant_key unique (id, tenant_id),
    constraint campaigns_name_length check (char_length(name) between 1 and 120 and name ~ '\S'),
    constraint campaigns_brand_id_form check (brand_id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    constraint campaigns_guidelines_length check (char_length(guidelines) <= 20000),
    constraint campaigns_task_types_form check (
        jsonb_typeof(task_types) = 'array' and octet_length(task_types::text) <= 4000
        and not jsonb_path_exists(task_types, '$[*] ? (@.type() != "string")')
    ),
    constraint campaigns_judgments_per_task_range check (judgments_per_task between 1 and 100),
    constraint campaigns_lease_seconds_range check (lease_seconds between 5 and 86400),
    constraint campaigns_undo_seconds_range check (undo_seconds between 0 and 3600),
    constraint campaigns_gold_share_range check (gold_share between 0 and 1),
    constraint campaigns_status_known check (status in ('draft', 'active', 'paused', 'completed'))
);
comment on table public.campaigns is 'What a tenant has rated, and how.';
comment on column public.campaigns.brand_id is 'Raters of this brand see it, beside those of no brand.';
comment on column public.campaigns.task_types is 'The types of tasks it takes; none means any.';
comment on column public.campaigns.lease_seconds is 'For so long a task is one rater''s alone; a heartbeat begins it anew.';
comment on column public.campaigns.undo_seconds is 'For so long a rater may take the newest judgment back.';
comment on column public.campaigns.gold_share is 'How often a rater gets a task whose answer is known, while there are any.';
comment on constraint campaigns_name_length on public.campaigns is 'A campaign''s name has 1 to 120 characters.';
comment on constraint campaigns_brand_id_form on public.campaigns is
    'A brand has 1 to 64 letters, digits, dots, hyphens and underscores.';
comment on constraint campaigns_guidelines_length on public.campaigns is 'Guidelines have up to 20,000 characters.';
comment on constraint campaigns_task_types_form on public.campaigns is 'Task types are a list of words.';
comment on constraint campaigns_judgments_per_task_range on public.campaigns is 'A task is judged 1 to 100 times.';
comment on constraint campaigns_lease_seconds_range on public.campaigns is 'The time for a task is between 5 seconds and a day.';
comment on constraint campaigns_undo_seconds_range on public.campaigns is 'The time to undo is up to an hour.';
comment on constraint campaigns_gold_share_range on public.campaigns is 'The share of gold tasks is between 0 and 1.';
comment on constraint campaigns_status_known on public.campaigns is 'A campaign is draft, active, paused or completed.';
create index campaigns_tenant_id_idx on public.campaigns (tenant_id, created_at desc);

create table public.rating_tasks (
    id uuid constraint rating_tasks_pkey primary key default gen_random_uuid(),
    tenant_id text not null
        constraint rating_tasks_tenant_id_fkey references public.tenants (id) on delete cascade,
    campaign_id uuid not null,
    brand_id text,
    task_type text not null,
    priority integer not null default 0,
    status text not null default 'pending',
    judgments_wanted integer not null default 1,
    judgments_count integer not null default 0,
    leased_until jsonb not null default '[]',
    auto_check_status text not null default 'none',
    auto_check jsonb,
    completed_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint rating_tasks_campaign_id_fkey foreign key (campaign_id, tenant_id)
        references public.campaigns (id, tenant_id) on delete cascade,
    constraint rating_tasks_task_type_form check (task_type ~ '^[a-z][a-z0-9_]{0,59}$'),
    constraint rating_tasks_priority_range check (priority between -1000 and 1000),
    constraint rating_tasks_status_known check (status in ('pending', 'in_progress', 'completed', 'withdrawn')),
    constraint rating_tasks_judgments_count_range check (judgments_count between 0 and judgments_wanted),
    constraint rating_tasks_auto_check_status_known check (
        auto_check_status in ('none', 'pending', 'passed', 'failed', 'error')
    ),
    constraint rating_tasks_auto_check_size check (octet_length(auto_check::text) <= 20000)
);
comment on table public.rating_tasks is
    'The queue: one row for each pair of candidates to be judged, without what they say or who they are.';
comment on column public.rating_tasks.brand_id is 'The campaign''s.';
comment on column public.rating_tasks.judgments_wanted is 'The campaign''s judgments_per_task.';
comment on column public.rating_tasks.leased_until is
    'When the leases end that are held now, as a list of times: an end in the past is a free place, at once and without anybody''s doing.';
comment on column public.rating_tasks.auto_check is 'What the edge function auto-check said of the two candidates.';
comment on constraint rating_tasks_task_type_form on public.rating_tasks is
    'A task type has 1 to 60 small letters, digits and underscores.';
comment on constraint rating_tasks_priority_range on public.rating_tasks is 'A priority is between -1,000 and 1,000.';
comment on constraint rating_tasks_status_known on public.rating_tasks is 'That is not a status of a task.';
comment on constraint rating_tasks_judgments_count_range on public.rating_tasks is 'This task has all its judgments.';
comment on constraint rating_tasks_auto_check_status_known on public.rating_tasks is 'That is not a status of a check.';
comment on constraint rating_tasks_auto_check_size on public.rating_tasks is 'The result of a check has up to 20 kB of JSON.';
create index rating_tasks_queue_idx on public.rating_tasks (campaign_id, priority desc, created_at, id)
    where status in ('pending', 'in_progress');
create index rating_tasks_campaign_id_idx on public.rating_tasks (campaign_id, tenant_id);
create index rating_tasks_newest_idx on public.rating_tasks (created_at desc, id desc);
create index rating_tasks_tenant_id_idx on public.rating_tasks (tenant_id, created_at desc, id desc);

create table public.rating_task_contents (
    task_id uuid constraint rating_task_contents_pkey primary key
        constraint rating_task_contents_task_id_fkey references public.rating_tasks (id) on delete cascade,
    tenant_id text not null
        constraint rating_task_contents_tenant_id_fkey references public.tenants (id) on delete cascade,
    prompt text not null,
    candidate_a jsonb not null,
    candidate_b jsonb not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint rating_task_contents_prompt_length check (char_length(prompt) between 1 and 50000 and prompt ~ '\S'),
    constraint rating_task_contents_candidate_a_size check (octet_length(candidate_a::text) <= 200000),
    constraint rating_task_contents_candidate_b_size check (octet_length(candidate_b::text) <= 200000)
);
comment on table public.rating_task_contents is
    'What is to be judged. Readable by raters who have, or have judged, the task, and by managers.';
comment on constraint rating_task_contents_prompt_length on public.rating_task_contents is
    'A prompt has 1 to 50,000 characters.';
comment on constraint rating_task_contents_candidate_a_size on public.rating_task_contents is
    'A candidate has up to 200 kB of JSON.';
comment on constraint rating_task_contents_candidate_b_size on public.rating_task_contents is
    'A candidate has up to 200 kB of JSON.';
create index rating_task_contents_tenant_id_idx on public.rating_task_contents (tenant_id);

create table public.rating_task_secrets (
    task_id uuid constraint rating_task_secrets_pkey primary key
        constraint rating_task_secrets_task_id_fkey references public.rating_tasks (id) on delete cascade,
    tenant_id text not null
        constraint rating_task_secrets_tenant_id_fkey references public.tenants (id) on delete cascade,
    external_id text,
    name_a text not null,
    name_b text not null,
    model_a text,
    model_b text,
    gold_verdict text,
    gold_reason text,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint rating_task_secrets_external_id_length check (char_length(external_id) <= 200),
    constraint rating_task_secrets_name_a_length check (char_length(name_a) between 1 and 120 and name_a ~ '\S'),
    constraint rating_task_secrets_name_b_length check (char_length(name_b) between 1 and 120 and name_b ~ '\S'),
    constraint rating_task_secrets_names_differ check (name_a <> name_b),
    constraint rating_task_secrets_model_a_length check (char_length(model_a) <= 200),
    constraint rating_task_secrets_model_b_length check (char_length(model_b) <= 200),
    constraint rating_task_secrets_gold_verdict_known check (gold_verdict in ('A', 'B', 'tie', 'both_bad')),
    constraint rating_task_secrets_gold_reason_length check (char_length(gold_reason) <= 5000)
);
comment on table public.rating_task_secrets is
    'Who the candidates are and what the answer should be. For managers; raters are told by reveal_task(), after their vote.';
comment on column public.rating_task_secrets.external_id is 'The task''s id in the system it came from.';
comment on constraint rating_task_secrets_external_id_length on public.rating_task_secrets is 'An id has up to 200 characters.';
comment on constraint rating_task_secrets_name_a_length on public.rating_task_secrets is 'A candidate''s name has 1 to 120 characters.';
comment on constraint rating_task_secrets_name_b_length on public.rating_task_secrets is 'A candidate''s name has 1 to 120 characters.';
comment on constraint rating_task_secrets_names_differ on public.rating_task_secrets is 'The two candidates have different names.';
comment on constraint rating_task_secrets_model_a_length on public.rating_task_secrets is 'A model has up to 200 characters.';
comment on constraint rating_task_secrets_model_b_length on public.rating_task_secrets is 'A model has up to 200 characters.';
comment on constraint rating_task_secrets_gold_verdict_known on public.rating_task_secrets is 'A verdict is A, B, tie or both_bad.';
comment on constraint rating_task_secrets_gold_reason_length on public.rating_task_secrets is 'A reason has up to 5,000 characters.';
create index rating_task_secrets_tenant_id_idx on public.rating_task_secrets (tenant_id);
create index rating_task_secrets_gold_idx on public.rating_task_secrets (task_id) where gold_verdict is not null;

create function private.guard_campaign() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if (old.tenant_id, old.brand_id, old.created_by) is distinct from (new.tenant_id, new.brand_id, new.created_by) then
        raise exception using errcode = '42501', message = 'Whose campaign it is cannot be changed.';
    end if;
    if new.status = 'draft' and old.status <> 'draft' then
        raise exception using errcode = '23514', message = 'A campaign that has begun can be paused, but is no draft any more.';
    end if;
    if new.judgments_per_task < old.judgments_per_task and exists (
        select from public.rating_tasks where campaign_id = new.id and judgments_count > new.judgments_per_task
    ) then
        raise exception using errcode = '23514', message = 'Some tasks have more judgments than that already.';
    end if;
    return new;
end
$$;

create function private.spread_judgments_per_task() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    update public.rating_tasks set judgments_wanted = new.judgments_per_task
    where campaign_id = new.id and judgments_wanted <> new.judgments_per_task;
    return null;
end
$$;

-- A direct update by a manager decides between withdrawn and not; everything else follows from the counts.
create function private.stamp_task() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        select judgments_per_task, brand_id into new.judgments_wanted, new.brand_id
        from public.campaigns where id = new.campaign_id;
    end if;
    if new.status <> 'withdrawn' then
        new.status := case
            when new.judgments_count >= new.judgments_wanted then 'completed'
            when new.judgments_count > 0 or jsonb_array_length(new.leased_until) > 0 then 'in_progress'
            else 'pending'
        end;
    end if;
    new.completed_at := case when new.status = 'completed' then coalesce(new.completed_at, clock_timestamp()) end;
    return new;
end
$$;
revoke execute on function private.guard_campaign(), private.spread_judgments_per_task(), private.stamp_task()
    from public, anon, authenticated, service_role;

create trigger guard_key before update on public.campaigns
    for each row when (old.id is distinct from new.id)
    execute function private.refuse('The id of a campaign cannot be changed.');
create trigger guard_campaign before update on public.campaigns
    for each row execute function private.guard_campaign();
create trigger stamp_row before insert or update on public.campaigns
    for each row execute function private.stamp_row();
create trigger spread_judgments_per_task after update on public.campaigns
    for each row when (old.judgments_per_task <> new.judgments_per_task)
    execute function private.spread_judgments_per_task();
create trigger log_change after insert or update or delete on public.campaigns
    for each row execute function private.log_tenant_change('campaigns', 'id');

create trigger guard_key before update on public.rating_tasks
    for each row when ((old.id, old.tenant_id, old.campaign_id, old.brand_id, old.task_type)
        is distinct from (new.id, new.tenant_id, new.campaign_id, new.brand_id, new.task_type))
    execute function private.refuse('Where a task belongs cannot be changed.');
create trigger stamp_row before insert or update on public.rating_tasks
    for each row execute function private.stamp_row();
create trigger stamp_task before insert or update on public.rating_tasks
    for each row execute function private.stamp_task();
create trigger log_change after insert or update or delete on public.rating_tasks
    for each row execute function private.log_tenant_change('campaigns', 'id');

create trigger guard_key before update on public.rating_task_contents
    for each row execute function private.refuse('What is to be judged cannot be changed.');
create trigger stamp_row before insert or update on public.rating_task_contents
    for each row execute function private.stamp_row();
create trigger log_change after insert or update or delete on public.rating_task_contents
    for each row execute function private.log_tenant_change('managers', 'task_id');

create trigger guard_key before update on public.rating_task_secrets
    for each row execute function private.refuse('Who the candidates are, and the gold answer, cannot be changed.');
create trigger stamp_row before insert or update on public.rating_task_secrets
    for each row execute function private.stamp_row();
create trigger log_change after insert or update or delete on public.rating_task_secrets
    for each row execute function private.log_tenant_change('managers', 'task_id');

alter table public.campaigns enable row level security;
alter table public.rating_tasks enable row level security;
alter table public.rating_task_contents enable row level security;
alter table public.rating_task_secrets enable row level security;
revoke all on public.campaigns, public.rating_tasks, public.rating_task_contents, public.rating_task_secrets
    from public, anon, authenticated, service_role;
grant select on public.campaigns, public.rating_tasks, public.rating_task_contents, public.rating_task_secrets
    to anon, authenticated;
grant insert, update on public.campaigns to authenticated;
grant update (priority, status, auto_check_status, auto_check) on public.rating_tasks to authenticated;
grant select, insert, update, delete
    on public.campaigns, public.rating_tasks, public.rating_task_contents, public.rating_task_secrets to service_role;

create policy "Members may see the campaigns of their tenant and brand" on public.campaigns
    for select to authenticated
    using (
        tenant_id = (select private.my_tenant())
        and ((select private.my_brand()) is null or brand_id = (select private.my_brand()))
    );
create policy "Managers may make campaigns" on public.campaigns
    for insert to authenticated
    with check (tenant_id = (select private.my_managed_tenant()) and created_by = (select auth.uid()));
create policy "Managers may change campaigns" on public.campaigns
    for update to authenticated
    using (tenant_id = (select private.my_managed_tenant()))
    with check (tenant_id = (select private.my_managed_tenant()));

create policy "Members may see the queue of their tenant and brand" on public.rating_tasks
    for select to authenticated
    using (
        tenant_id = (select private.my_tenant())
        and ((select private.my_brand()) is null or brand_id = (select private.my_brand()))
    );
create policy "Managers may change tasks" on public.rating_tasks
    for update to authenticated
    using (tenant_id = (select private.my_managed_tenant()))
    with check (tenant_id = (select private.my_managed_tenant()));
-- No policy for insert: a task is three rows, made together by create_rating_tasks(). None for delete: withdraw it.

create policy "Managers may see who the candidates are" on public.rating_task_secrets
    for select to authenticated using (tenant_id = (select private.my_managed_tenant()));

-- Tasks with what belongs to them, all or none; asked again with the same ids, those that are there.
create function public.create_rating_tasks(p_campaign uuid, p_tasks jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    campaign public.campaigns;
    given jsonb;
    position bigint;
    task uuid;
    made uuid[] := '{}';
begin
    select * into campaign from public.campaigns
    where id = p_campaign and tenant_id = private.my_managed_tenant();
    if not found then
        raise exception using errcode = '42501', message = 'Only a manager of the tenant can add tasks to its campaigns.';
    end if;
    if jsonb_typeof(p_tasks) is distinct from 'array' or jsonb_array_length(p_tasks) not between 1 and 1000 then
        raise exception using errcode = '23514', message = 'Add 1 to 1,000 tasks at a time.';
    end if;
    for given, position in select * from jsonb_array_elements(p_tasks) with ordinality loop
        if jsonb_array_length(campaign.task_types) > 0 and not campaign.task_types ? coalesce(given ->> 'task_type', '') then
            raise exception using errcode = '23514',
                message = format('Task %s is of a type that this campaign does not take.', position);
        end if;
        if coalesce(btrim(given ->> 'prompt'), '') = '' or given -> 'candidate_a' is null or given -> 'candidate_b' is null
            or given ->> 'name_a' is null or given ->> 'name_b' is null or given ->> 'task_type' is null
        then
            raise exception using errcode = '23514',
                message = format('Task %s needs a type, a prompt, two candidates and their names.', position);
        end if;
        task := coalesce((given ->> 'id')::uuid, gen_random_uuid());
        insert into public.rating_tasks (id, tenant_id, campaign_id, task_type, priority, auto_check_status)
        values (
            task, campaign.tenant_id, campaign.id, given ->> 'task_type', coalesce((given ->> 'priority')::integer, 0),
            'none'
        )
        on conflict (id) do nothing;
        if found then
            insert into public.rating_task_contents (task_id, tenant_id, prompt, candidate_a, candidate_b)
            values (task, campaign.tenant_id, given ->> 'prompt', given -> 'candidate_a', given -> 'candidate_b');
            insert into public.rating_task_secrets (
                task_id, tenant_id, external_id, name_a, name_b, model_a, model_b, gold_verdict, gold_reason
            )
            values (
                task, campaign.tenant_id, given ->> 'external_id', given ->> 'name_a', given ->> 'name_b',
                given ->> 'model_a', given ->> 'model_b', given ->> 'gold_verdict', given ->> 'gold_reason'
            );
        end if;
        made := made || task;
    end loop;
    return (
        select coalesce(jsonb_agg(to_jsonb(t) order by t.created_at, t.id), '[]')
        from public.rating_tasks as t where t.id = any (made) and t.campaign_id = campaign.id
    );
end
$$;
comment on function public.create_rating_tasks(uuid, jsonb) is
    'For managers: add tasks to a campaign, each {id?, task_type, prompt, candidate_a, candidate_b, name_a, name_b, model_a?, model_b?, priority?, external_id?, gold_verdict?, gold_reason?}. Returns the rows of rating_tasks.';
revoke execute on function public.create_rating_tasks(uuid, jsonb) from public, anon, authenticated, service_role;
grant execute on function public.create_rating_tasks(uuid, jsonb) to authenticated;

alter publication supabase_realtime
    add table public.campaigns, public.rating_tasks, public.rating_task_contents, public.rating_task_secrets;
