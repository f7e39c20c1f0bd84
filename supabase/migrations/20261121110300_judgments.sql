-- Leases and judgments. Both are written by the functions of the next file only; what follows from them (the state of the
-- queue, the raters' counts, the candidates' tallies) is kept by triggers here, whoever writes them.

create table public.task_leases (
    id uuid constraint task_leases_pkey primary key default gen_random_uuid(),
    tenant_id text not null
        constraint task_leases_tenant_id_fkey references public.tenants (id) on delete cascade,
    campaign_id uuid not null
        constraint task_leases_campaign_id_fkey references public.campaigns (id) on delete cascade,
    task_id uuid not null
        constraint task_leases_task_id_fkey references public.rating_tasks (id) on delete cascade,
    user_id uuid not null
        constraint task_leases_user_id_fkey references public.users (id) on delete cascade,
    rater_id text not null,
    state text not null default 'active',
    claimed_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint task_leases_rater_key unique (task_id, user_id),
    constraint task_leases_state_known check (state in ('active', 'submitted', 'skipped', 'released', 'expired'))
);
comment on table public.task_leases is 'Who has which task, and until when: one row for each rater and task, kept after its end.';
comment on column public.task_leases.state is
    'An active lease whose end is past is over, whether or not somebody has put it down as expired.';
comment on constraint task_leases_state_known on public.task_leases is 'That is not a state of a lease.';
create index task_leases_user_id_idx on public.task_leases (user_id, campaign_id, state);
create index task_leases_campaign_id_idx on public.task_leases (campaign_id);
create index task_leases_tenant_id_idx on public.task_leases (tenant_id, created_at desc, id desc);
create index task_leases_newest_idx on public.task_leases (created_at desc, id desc);

create table public.judgments (
    id uuid constraint judgments_pkey primary key default gen_random_uuid(),
    tenant_id text not null
        constraint judgments_tenant_id_fkey references public.tenants (id) on delete cascade,
    campaign_id uuid not null
        constraint judgments_campaign_id_fkey references public.campaigns (id) on delete cascade,
    task_id uuid not null
        constraint judgments_task_id_fkey references public.rating_tasks (id) on delete cascade,
    -- What was judged stays with the tenant, under the rater's id, when the account goes.
    user_id uuid
        constraint judgments_user_id_fkey references public.users (id) on delete set null,
    rater_id text not null,
    verdict text not null,
    comment text not null default '',
    seconds double precision not null default 0,
    judged_at timestamptz not null default clock_timestamp(),
    sealed_at timestamptz,
    undone_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint judgments_rater_key unique (task_id, rater_id),
    constraint judgments_user_key unique (task_id, user_id),
    constraint judgments_verdict_known check (verdict in ('A', 'B', 'tie', 'both_bad')),
    constraint judgments_comment_length check (char_length(comment) <= 2000),
    constraint judgments_seconds_range check (seconds between 0 and 86400),
    constraint judgments_sealed_or_undone check (sealed_at is null or undone_at is null)
);
comment on table public.judgments is 'One verdict of one rater on one task.';
comment on column public.judgments.seconds is 'How long the rater took.';
comment on column public.judgments.sealed_at is
    'Since when it is final: with the rater''s next judgment, after the time to undo, or when the rater was told who is who. Agreement, gold and rankings count final judgments only, so that nobody learns from them and votes again.';
comment on column public.judgments.undone_at is 'Taken back: it does not count. The rater may judge again, in the same row.';
comment on constraint judgments_verdict_known on public.judgments is 'A verdict is A, B, tie or both_bad.';
comment on constraint judgments_comment_length on public.judgments is 'A comment has up to 2,000 characters.';
comment on constraint judgments_seconds_range on public.judgments is 'A judgment takes up to a day.';
comment on constraint judgments_sealed_or_undone on public.judgments is 'A final judgment cannot be undone.';
create index judgments_user_id_idx on public.judgments (user_id, judged_at desc);
create index judgments_campaign_id_idx on public.judgments (campaign_id, judged_at);
create index judgments_tenant_id_idx on public.judgments (tenant_id, created_at desc, id desc);
create index judgments_newest_idx on public.judgments (created_at desc, id desc);
create index judgments_open_idx on public.judgments (campaign_id, judged_at) where sealed_at is null and undone_at is null;

create table public.candidate_tallies (
    id uuid constraint candidate_tallies_pkey primary key default gen_random_uuid(),
    tenant_id text not null
        constraint candidate_tallies_tenant_id_fkey references public.tenants (id) on delete cascade,
    campaign_id uuid not null
        constraint candidate_tallies_campaign_id_fkey references public.campaigns (id) on delete cascade,
    brand_id text,
    first text not null,
    second text not null,
    first_wins integer not null default 0,
    second_wins integer not null default 0,
    ties integer not null default 0,
    both_bad integer not null default 0,
    published boolean not null default false,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint candidate_tallies_pair_key unique (campaign_id, first, second),
    constraint candidate_tallies_in_order check (first collate "C" < second collate "C"),
    constraint candidate_tallies_counts_sane check (least(first_wins, second_wins, ties, both_bad) >= 0)
);
comment on table public.candidate_tallies is
    'How often each of two candidates was preferred, by final judgments of tasks that are not gold. For managers, and once published for all members.';
comment on column public.candidate_tallies.published is 'True once the campaign was completed: rating is over, names give nothing away.';
comment on constraint candidate_tallies_in_order on public.candidate_tallies is 'The two candidates are in the order of their names.';
comment on constraint candidate_tallies_counts_sane on public.candidate_tallies is 'These counts cannot be.';
create index candidate_tallies_tenant_id_idx on public.candidate_tallies (tenant_id);

create function private.refresh_task(p_task uuid) returns void
language sql security definer set search_path = ''
as $$
    update public.rating_tasks as task
    set judgments_count = now_is.given, leased_until = now_is.leased
    from (
        select
            (select count(*) from public.judgments where task_id = p_task and undone_at is null) as given,
            (
                select coalesce(jsonb_agg(to_jsonb(expires_at) order by expires_at, id), '[]')
                from public.task_leases where task_id = p_task and state = 'active'
            ) as leased
    ) as now_is
    where task.id = p_task
        and (task.judgments_count, task.leased_until) is distinct from (now_is.given::integer, now_is.leased)
$$;

create function private.follow_lease() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform private.refresh_task(coalesce(new.task_id, old.task_id));
    return null;
end
$$;

-- Twice the same rule, on purpose: the functions look first and explain, this refuses whatever the way.
create function private.guard_judgment() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    wanted integer;
begin
    if tg_op = 'UPDATE' and old.sealed_at is not null and (
        new.sealed_at is distinct from old.sealed_at or new.undone_at is not null
        or (new.verdict, new.comment, new.seconds, new.judged_at)
            is distinct from (old.verdict, old.comment, old.seconds, old.judged_at)
    ) then
        raise exception using errcode = '23514', message = 'This judgment is final.';
    end if;
    if new.undone_at is null and (tg_op = 'INSERT' or old.undone_at is not null) then
        select judgments_wanted into wanted from public.rating_tasks where id = new.task_id for update;
        if (select count(*) from public.judgments where task_id = new.task_id and undone_at is null) >= wanted then
            raise exception using errcode = '23514', message = 'This task has all its judgments.';
        end if;
    end if;
    if tg_op = 'INSERT' and exists (select from public.campaigns where id = new.campaign_id and undo_seconds = 0) then
        new.sealed_at := coalesce(new.sealed_at, clock_timestamp());
    end if;
    return new;
end
$$;

create function private.follow_judgment() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform private.refresh_task(coalesce(new.task_id, old.task_id));
    return null;
end
$$;

create function private.streak_of(p_user uuid, p_tenant text) returns table (days integer, last_day date)
language sql stable security definer set search_path = ''
as $$
    with day as (
        select distinct (judged_at at time zone 'UTC')::date as on_day
        from public.judgments where user_id = p_user and tenant_id = p_tenant and undone_at is null
    ), run as (
        -- Days in a row have the same difference to their rank.
        select on_day, on_day - (row_number() over (order by on_day))::integer as start from day
    )
    select count(*)::integer, max(on_day) from run
    where start = (select start from run order by on_day desc limit 1)
$$;

-- One at a time in a tenant: the counts of several raters change together, in no fixed order. Taken after the lock of the
-- task and before that of any judgment, so that nobody waits for each other.
create function private.lock_counts(p_tenant text) returns void
language sql security definer set search_path = ''
as $$ select pg_advisory_xact_lock(hashtextextended('rating.counts.' || p_tenant, 0)) $$;

-- Each pair of judgments is counted with the one that became final later.
create function private.settle(p_judgment public.judgments) returns void
language plpgsql security definer set search_path = ''
as $$
declare
    secret public.rating_task_secrets;
    pairs integer;
    alike integer;
    in_order boolean;
begin
    select count(*), count(*) filter (where verdict = p_judgment.verdict) into pairs, alike
    from public.judgments
    where task_id = p_judgment.task_id and (sealed_at, id) < (p_judgment.sealed_at, p_judgment.id);
    select * into secret from public.rating_task_secrets where task_id = p_judgment.task_id;
    update public.rater_profiles
    set compared = compared + pairs,
        agreed = agreed + alike,
        gold_total = gold_total + (secret.gold_verdict is not null)::integer,
        gold_correct = gold_correct + coalesce(secret.gold_verdict = p_judgment.verdict, false)::integer
    where user_id = p_judgment.user_id and (pairs > 0 or secret.gold_verdict is not null);
    update public.rater_profiles as profile
    set compared = compared + 1, agreed = agreed + (other.verdict = p_judgment.verdict)::integer
    from public.judgments as other
    where other.task_id = p_judgment.task_id and profile.user_id = other.user_id
        and (other.sealed_at, other.id) < (p_judgment.sealed_at, p_judgment.id);
    -- Gold tasks test the raters, not the candidates.
    if secret.task_id is null or secret.gold_verdict is not null then
        return;
    end if;
    in_order := secret.name_a collate "C" < secret.name_b collate "C";
    insert into public.candidate_tallies as tally (
        tenant_id, campaign_id, brand_id, first, second, first_wins, second_wins, ties, both_bad
    )
    select
        p_judgment.tenant_id, p_judgment.campaign_id, campaign.brand_id,
        case when in_order then secret.name_a else secret.name_b end,
        case when in_order then secret.name_b else secret.name_a end,
        (p_judgment.verdict = case when in_order then 'A' else 'B' end)::integer,
        (p_judgment.verdict = case when in_order then 'B' else 'A' end)::integer,
        (p_judgment.verdict = 'tie')::integer,
        (p_judgment.verdict = 'both_bad')::integer
    from public.campaigns as campaign where campaign.id = p_judgment.campaign_id
    on conflict (campaign_id, first, second) do update set
        first_wins = tally.first_wins + excluded.first_wins, second_wins = tally.second_wins + excluded.second_wins,
        ties = tally.ties + excluded.ties, both_bad = tally.both_bad + excluded.both_bad;
end
$$;

create function private.count_judgment() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    counted constant integer := (new.undone_at is null)::integer
        - (case when tg_op = 'UPDATE' then old.undone_at is null else false end)::integer;
    streak record;
begin
    perform private.lock_counts(new.tenant_id);
    if counted > 0 then
        -- Whoever goes on to the next has decided.
        update public.judgments set sealed_at = clock_timestamp()
        where user_id = new.user_id and id <> new.id and sealed_at is null and undone_at is null;
    end if;
    if counted <> 0 then
        select * into streak from private.streak_of(new.user_id, new.tenant_id);
        update public.rater_profiles as profile
        set total_judgments = total_judgments + counted, streak = streak.days,
            best_streak = greatest(best_streak, streak.days), last_judged_on = streak.last_day
        where user_id = new.user_id;
    end if;
    if new.sealed_at is not null and (tg_op = 'INSERT' or old.sealed_at is null) then
        perform private.settle(new);
    end if;
    return null;
end
$$;

create function private.end_leases() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    update public.task_leases set state = 'released' where task_id = new.id and state = 'active';
    return null;
end
$$;

create function private.finish_campaign() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform private.lock_counts(new.tenant_id);
    update public.judgments set sealed_at = clock_timestamp()
    where campaign_id = new.id and sealed_at is null and undone_at is null;
    update public.candidate_tallies set published = true where campaign_id = new.id and not published;
    return null;
end
$$;
revoke execute on function private.refresh_task(uuid), private.follow_lease(), private.guard_judgment(),
    private.follow_judgment(), private.streak_of(uuid, text), private.lock_counts(text), private.settle(public.judgments),
    private.count_judgment(), private.end_leases(), private.finish_campaign()
    from public, anon, authenticated, service_role;

create trigger guard_key before update on public.task_leases
    for each row when ((old.id, old.tenant_id, old.campaign_id, old.task_id, old.user_id, old.rater_id)
        is distinct from (new.id, new.tenant_id, new.campaign_id, new.task_id, new.user_id, new.rater_id))
    execute function private.refuse('Whose lease it is cannot be changed.');
create trigger stamp_row before insert or update on public.task_leases
    for each row execute function private.stamp_row();
create trigger follow_lease after insert or update or delete on public.task_leases
    for each row execute function private.follow_lease();
create trigger log_change after insert or update or delete on public.task_leases
    for each row execute function private.log_tenant_change('user_id,managers', 'id');

create trigger guard_judgment before insert or update on public.judgments
    for each row execute function private.guard_judgment();
create trigger guard_key before update on public.judgments
    for each row when (
        (old.id, old.tenant_id, old.campaign_id, old.task_id, old.rater_id)
            is distinct from (new.id, new.tenant_id, new.campaign_id, new.task_id, new.rater_id)
        or (new.user_id is not null and new.user_id is distinct from old.user_id)
    )
    execute function private.refuse('Whose judgment it is cannot be changed.');
create trigger stamp_row before insert or update on public.judgments
    for each row execute function private.stamp_row();
create trigger count_new_judgment after insert on public.judgments
    for each row execute function private.count_judgment();
create trigger count_judgment after update on public.judgments
    for each row when ((old.undone_at is null, old.sealed_at is null) is distinct from (new.undone_at is null, new.sealed_at is null))
    execute function private.count_judgment();
create trigger follow_new_judgment after insert or delete on public.judgments
    for each row execute function private.follow_judgment();
create trigger follow_judgment after update on public.judgments
    for each row when ((old.undone_at is null) is distinct from (new.undone_at is null))
    execute function private.follow_judgment();
create trigger log_change after insert or update or delete on public.judgments
    for each row execute function private.log_tenant_change('user_id,managers', 'id');

create trigger guard_key before update on public.candidate_tallies
    for each row when ((old.id, old.tenant_id, old.campaign_id, old.brand_id, old.first, old.second)
        is distinct from (new.id, new.tenant_id, new.campaign_id, new.brand_id, new.first, new.second))
    execute function private.refuse('What a tally counts cannot be changed.');
create trigger stamp_row before insert or update on public.candidate_tallies
    for each row execute function private.stamp_row();
create trigger log_change after insert or update or delete on public.candidate_tallies
    for each row execute function private.log_tenant_change('campaigns', 'id');
create trigger end_leases after update on public.rating_tasks
    for each row when (old.status <> 'withdrawn' and new.status = 'withdrawn')
    execute function private.end_leases();
create trigger finish_campaign after update on public.campaigns
    for each row when (old.status <> 'completed' and new.status = 'completed')
    execute function private.finish_campaign();

alter table public.task_leases enable row level security;
alter table public.judgments enable row level security;
alter table public.candidate_tallies enable row level security;
revoke all on public.task_leases, public.judgments, public.candidate_tallies from public, anon, authenticated, service_role;
grant select on public.task_leases, public.judgments, public.candidate_tallies to anon, authenticated;
grant select, insert, update, delete on public.task_leases, public.judgments, public.candidate_tallies to service_role;

create policy "Raters may see their leases, managers the tenant's" on public.task_leases
    for select to authenticated
    using (
        (user_id = (select auth.uid()) and tenant_id = (select private.my_tenant()))
        or tenant_id = (select private.my_managed_tenant())
    );
create policy "Raters may see their judgments, managers the tenant's" on public.judgments
    for select to authenticated
    using (
        (user_id = (select auth.uid()) and tenant_id = (select private.my_tenant()))
        or tenant_id = (select private.my_managed_tenant())
    );
create policy "Managers may see the tallies, members the published ones" on public.candidate_tallies
    for select to authenticated
    using (
        tenant_id = (select private.my_managed_tenant())
        or (
            published and tenant_id = (select private.my_tenant())
            and ((select private.my_brand()) is null or brand_id = (select private.my_brand()))
        )
    );
create policy "Raters may see what they have or had to judge, managers everything" on public.rating_task_contents
    for select to authenticated
    using (
        tenant_id = (select private.my_managed_tenant())
        or (
            tenant_id = (select private.my_tenant())
            and exists (
                select from public.task_leases as lease
                where lease.task_id = rating_task_contents.task_id and lease.user_id = (select auth.uid())
                    and (lease.state = 'submitted' or (lease.state = 'active' and lease.expires_at > clock_timestamp()))
            )
        )
    );

-- Raters follow their own rows by a filter, which Realtime asks of a deletion's old row too.
alter table public.task_leases replica identity full;
alter table public.judgments replica identity full;
alter publication supabase_realtime add table public.task_leases, public.judgments, public.candidate_tallies;
