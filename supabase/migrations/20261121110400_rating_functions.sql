-- How raters work. Every function locks the task first, then looks, then writes: of any number of simultaneous callers each
-- sees what the one before has done, and the sum of judgments and running leases never exceeds judgments_wanted.

create function private.rater() returns public.rater_profiles
language plpgsql stable security definer set search_path = ''
as $$
declare
    profile public.rater_profiles;
begin
    select * into profile from public.rater_profiles where user_id = (select auth.uid()) and active;
    if not found then
        raise exception using errcode = '42501', message = 'Join a tenant first.';
    end if;
    if profile.role <> 'rater' then
        raise exception using errcode = '42501', message = 'Managers see all the answers, so they cannot rate blind.';
    end if;
    return profile;
end
$$;

create function private.running_leases(p_task public.rating_tasks) returns integer
language sql volatile set search_path = ''
as $$
    select count(*)::integer from jsonb_array_elements_text(p_task.leased_until) as ends (at)
    where ends.at::timestamptz > clock_timestamp()
$$;
comment on function private.running_leases(public.rating_tasks) is
    'Counted in the task''s own row, which is what Postgres looks at again after waiting for its lock.';

-- kind: 'gold', 'plain', 'returned' (what this rater let expire or gave back: last of all, rather than never), or 'any' of
-- these. The first three pass over rows that others have locked, so that claimers do not queue for one task; 'any' waits
-- for them, so that a place behind a lock is found, and all who wait do so in the same order.
create function private.next_task(p_campaign uuid, p_user uuid, kind text) returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
    chosen uuid;
begin
    execute format(
        $query$
            select task.id from public.rating_tasks as task
            where task.campaign_id = $1 and task.status in ('pending', 'in_progress')
                and task.judgments_count + private.running_leases(task) < task.judgments_wanted
                and %s
            order by task.priority desc, task.created_at, task.id
            limit 1 for update of task %s
        $query$,
        case kind
            when 'any' then
                'not exists (select from public.task_leases as lease where lease.task_id = task.id and lease.user_id = $2'
                ' and (lease.state in (''submitted'', ''skipped'')'
                ' or (lease.state = ''active'' and lease.expires_at > clock_timestamp())))'
            when 'returned' then
                'exists (select from public.task_leases as lease where lease.task_id = task.id and lease.user_id = $2'
                ' and (lease.state in (''released'', ''expired'')'
                ' or (lease.state = ''active'' and lease.expires_at <= clock_timestamp())))'
            else
                'not exists (select from public.task_leases as lease where lease.task_id = task.id and lease.user_id = $2)'
                || case kind when 'gold' then ' and ' else ' and not ' end ||
                'exists (select from public.rating_task_secrets as secret'
                ' where secret.task_id = task.id and secret.gold_verdict is not null)'
        end,
        case kind when 'any' then '' else 'skip locked' end
    ) into chosen using p_campaign, p_user;
    return chosen;
end
$$;

-- The task is locked by the caller. Fails loudly rather than leasing one place too many.
create function private.lease_task(p_task uuid, p_rater public.rater_profiles) returns void
language plpgsql security definer set search_path = ''
as $$
declare
    task public.rating_tasks;
    seconds integer;
begin
    update public.task_leases set state = 'expired'
    where task_id = p_task and state = 'active' and expires_at <= clock_timestamp();
    select * into task from public.rating_tasks where id = p_task;
    select lease_seconds into seconds from public.campaigns where id = task.campaign_id;
    if task.judgments_count + (
        select count(*) from public.task_leases
        where task_id = p_task and state = 'active' and user_id <> p_rater.user_id
    ) >= task.judgments_wanted
    then
        raise exception using errcode = '23514', message = 'All places of this task are taken.';
    end if;
    insert into public.task_leases as lease (
        tenant_id, campaign_id, task_id, user_id, rater_id, claimed_at, expires_at
    )
    values (
        task.tenant_id, task.campaign_id, task.id, p_rater.user_id, p_rater.rater_id, clock_timestamp(),
        clock_timestamp() + make_interval(secs => seconds)
    )
    on conflict (task_id, user_id) do update
    set state = 'active', claimed_at = excluded.claimed_at, expires_at = excluded.expires_at;
end
$$;

create function private.claim_of(p_task uuid, p_user uuid) returns jsonb
language sql volatile security definer set search_path = ''
as $$
    select jsonb_build_object(
        'lease', to_jsonb(lease), 'task', to_jsonb(task), 'content', to_jsonb(content), 'now', clock_timestamp()
    )
    from public.task_leases as lease
    join public.rating_tasks as task on task.id = lease.task_id
    join public.rating_task_contents as content on content.task_id = task.id
    where lease.task_id = p_task and lease.user_id = p_user
$$;

create function private.lock_task_of(p_task uuid, p_rater public.rater_profiles) returns public.rating_tasks
language plpgsql security definer set search_path = ''
as $$
declare
    task public.rating_tasks;
begin
    select * into task from public.rating_tasks where id = p_task and tenant_id = p_rater.tenant_id for update;
    if not found or not exists (
        select from public.task_leases where task_id = p_task and user_id = p_rater.user_id
    )
    then
        raise exception using errcode = '42501', message = 'This task was not given to you.';
    end if;
    return task;
end
$$;

create function private.seal_due(p_campaign uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
    campaign public.campaigns;
begin
    select * into campaign from public.campaigns where id = p_campaign;
    if not exists (
        select from public.judgments where campaign_id = campaign.id and sealed_at is null and undone_at is null
    )
    then
        return;
    end if;
    perform private.lock_counts(campaign.tenant_id);
    update public.judgments set sealed_at = clock_timestamp()
    where campaign_id = campaign.id and sealed_at is null and undone_at is null
        and judged_at < clock_timestamp() - make_interval(secs => campaign.undo_seconds);
end
$$;

create function public.claim_task(p_campaign uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    rater constant public.rater_profiles := private.rater();
    campaign public.campaigns;
    kinds text[];
    kind text;
    chosen uuid;
begin
    -- Two tabs of one rater get the same task, not two.
    perform pg_advisory_xact_lock(hashtextextended('rating.claim.' || rater.user_id, 0));
    select * into campaign from public.campaigns
    where id = p_campaign and tenant_id = rater.tenant_id and (rater.brand_id is null or brand_id = rater.brand_id);
    if not found then
        raise exception using errcode = '42501', message = 'This campaign is not yours to rate.';
    end if;
    select lease.task_id into chosen from public.task_leases as lease
    join public.rating_tasks as task on task.id = lease.task_id and task.status in ('pending', 'in_progress')
    where lease.user_id = rater.user_id and lease.campaign_id = campaign.id and lease.state = 'active'
        and lease.expires_at > clock_timestamp() and campaign.status in ('active', 'paused')
    order by lease.claimed_at desc limit 1;
    if chosen is not null then
        return private.claim_of(chosen, rater.user_id);
    end if;
    if campaign.status <> 'active' then
        raise exception using errcode = '23514', message = 'This campaign is not open for rating at the moment.';
    end if;
    kinds := case when random() < campaign.gold_share
        then array['gold', 'plain', 'returned', 'any', 'any'] else array['plain', 'gold', 'returned', 'any', 'any'] end;
    foreach kind in array kinds loop
        begin
            chosen := private.next_task(campaign.id, rater.user_id, kind);
        exception when deadlock_detected then
            -- Rows that were looked at and not taken stay locked: two who do so at once may wait for each other. Undoing
            -- this block gives them free, and there is a second try.
            chosen := null;
        end;
        if chosen is not null then
            perform private.lease_task(chosen, rater);
            return private.claim_of(chosen, rater.user_id);
        end if;
    end loop;
    return null;
end
$$;
comment on function public.claim_task(uuid) is
    'The next task of a campaign, leased to the caller: {lease, task, content, now}; the one they have, if they have one; null when there is none for them now.';

create function public.extend_lease(p_task uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    rater constant public.rater_profiles := private.rater();
    task constant public.rating_tasks := private.lock_task_of(p_task, rater);
    lease public.task_leases;
begin
    select * into lease from public.task_leases where task_id = p_task and user_id = rater.user_id;
    if lease.state not in ('active', 'expired') then
        raise exception using errcode = '23514', message = 'You do not have this task any more.';
    end if;
    if task.status = 'withdrawn' then
        raise exception using errcode = '23514', message = 'This task was withdrawn. Go on with the next one.';
    end if;
    if lease.state = 'active' and lease.expires_at > clock_timestamp() then
        update public.task_leases as running
        set expires_at = clock_timestamp() + make_interval(secs => campaign.lease_seconds)
        from public.campaigns as campaign where running.id = lease.id and campaign.id = lease.campaign_id;
    else
        perform private.lease_task(p_task, rater);
    end if;
    return (select to_jsonb(running) from public.task_leases as running where id = lease.id);
end
$$;
comment on function public.extend_lease(uuid) is
    'The sign of life of a rater at work: the lease begins anew. One that ended comes back while nobody has taken the place.';

create function public.resume_task(p_task uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    rater constant public.rater_profiles := private.rater();
    task constant public.rating_tasks := private.lock_task_of(p_task, rater);
begin
    if task.status not in ('pending', 'in_progress') or exists (
        select from public.task_leases where task_id = p_task and user_id = rater.user_id and state = 'submitted'
    )
    then
        raise exception using errcode = '23514', message = 'There is nothing to be done for this task any more.';
    end if;
    perform private.lease_task(p_task, rater);
    return private.claim_of(p_task, rater.user_id);
end
$$;
comment on function public.resume_task(uuid) is 'Take back a task that the caller skipped, gave back or let expire, while there is a place.';

create function private.end_lease(p_task uuid, p_state text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    rater constant public.rater_profiles := private.rater();
    ended public.task_leases;
begin
    perform private.lock_task_of(p_task, rater);
    update public.task_leases set state = p_state, expires_at = least(expires_at, clock_timestamp())
    where task_id = p_task and user_id = rater.user_id and state in ('active', 'expired')
    returning * into ended;
    if not found then
        raise exception using errcode = '23514', message = 'You do not have this task any more.';
    end if;
    return to_jsonb(ended);
end
$$;

create function public.skip_task(p_task uuid) returns jsonb
language sql security definer set search_path = ''
as $$ select private.end_lease(p_task, 'skipped') $$;
comment on function public.skip_task(uuid) is 'Give a task back to the queue, for others: the caller is not given it again.';

create function public.release_task(p_task uuid) returns jsonb
language sql security definer set search_path = ''
as $$ select private.end_lease(p_task, 'released') $$;
comment on function public.release_task(uuid) is 'Give a task back to the queue, as one does who leaves; the caller may be given it again.';

create function public.submit_judgment(
    p_task uuid, p_verdict text, p_comment text default '', p_seconds double precision default null
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    rater constant public.rater_profiles := private.rater();
    task constant public.rating_tasks := private.lock_task_of(p_task, rater);
    lease public.task_leases;
    judgment public.judgments;
    elapsed double precision;
begin
    select * into judgment from public.judgments where task_id = p_task and user_id = rater.user_id;
    if judgment.id is not null and judgment.undone_at is null then
        if (judgment.verdict, judgment.comment) is distinct from (p_verdict, coalesce(p_comment, '')) then
            raise exception using errcode = '23514', message = 'You have judged this task already.';
        end if;
        return to_jsonb(judgment); -- asked again, because the answer got lost
    end if;
    if task.status = 'withdrawn' then
        raise exception using errcode = '23514', message = 'This task was withdrawn. Go on with the next one.';
    end if;
    select * into lease from public.task_leases where task_id = p_task and user_id = rater.user_id;
    if lease.state not in ('active', 'expired') then
        raise exception using errcode = '23514', message = 'You gave this task back. Take it again to judge it.';
    end if;
    if exists (select from public.campaigns where id = task.campaign_id and status = 'completed') then
        raise exception using errcode = '23514', message = 'This campaign is over.';
    end if;
    if (lease.state = 'expired' or lease.expires_at <= clock_timestamp()) and task.judgments_count + (
        select count(*) from public.task_leases
        where task_id = p_task and state = 'active' and expires_at > clock_timestamp() and user_id <> rater.user_id
    ) >= task.judgments_wanted
    then
        raise exception using errcode = '23514',
            message = 'Your time for this task was over, and somebody else has it now. What you wrote is kept: go on with the next task.',
            hint = 'lease_lost';
    end if;
    perform private.lock_counts(task.tenant_id);
    elapsed := least(greatest(extract(epoch from clock_timestamp() - lease.claimed_at), 0), 86400);
    -- The lease first: between the two, the place would be counted twice.
    update public.task_leases set state = 'submitted' where id = lease.id;
    insert into public.judgments as given (
        tenant_id, campaign_id, task_id, user_id, rater_id, verdict, comment, seconds
    )
    values (
        task.tenant_id, task.campaign_id, task.id, rater.user_id, rater.rater_id, p_verdict, coalesce(p_comment, ''),
        least(greatest(coalesce(p_seconds, elapsed), 0), elapsed)
    )
    on conflict (task_id, user_id) do update
    set verdict = excluded.verdict, comment = excluded.comment, seconds = excluded.seconds,
        judged_at = excluded.judged_at, undone_at = null
    returning * into judgment;
    return to_jsonb(judgment);
end
$$;
comment on function public.submit_judgment(uuid, text, text, double precision) is
    'The caller''s verdict on a task they have: A, B, tie or both_bad. After the end of the lease it still counts, unless the place was taken. Returns the judgment.';

create function public.undo_judgment(p_task uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    rater constant public.rater_profiles := private.rater();
    task constant public.rating_tasks := private.lock_task_of(p_task, rater);
    judgment public.judgments;
    seconds integer;
begin
    select * into judgment from public.judgments
    where task_id = p_task and user_id = rater.user_id and undone_at is null;
    if not found then
        raise exception using errcode = '23514', message = 'There is no judgment of yours to undo.';
    end if;
    select undo_seconds into seconds from public.campaigns where id = task.campaign_id;
    if judgment.sealed_at is not null or judgment.judged_at < clock_timestamp() - make_interval(secs => seconds) then
        raise exception using errcode = '23514', message = 'It is too late to undo this judgment.';
    end if;
    if task.status = 'withdrawn' then
        raise exception using errcode = '23514', message = 'This task was withdrawn. Go on with the next one.';
    end if;
    perform private.lock_counts(task.tenant_id);
    update public.judgments set undone_at = clock_timestamp() where id = judgment.id;
    perform private.lease_task(p_task, rater);
    return private.claim_of(p_task, rater.user_id) || jsonb_build_object(
        'judgment', (select to_jsonb(undone) from public.judgments as undone where id = judgment.id)
    );
end
$$;
comment on function public.undo_judgment(uuid) is
    'Take back the newest judgment, within the campaign''s undo_seconds: the task is the caller''s again. Returns the claim, and the judgment.';

create function public.reveal_task(p_task uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
    rater constant public.rater_profiles := private.rater();
begin
    perform private.lock_task_of(p_task, rater);
    perform private.lock_counts(rater.tenant_id);
    update public.judgments set sealed_at = clock_timestamp()
    where task_id = p_task and user_id = rater.user_id and undone_at is null and sealed_at is null;
    if not exists (
        select from public.judgments where task_id = p_task and user_id = rater.user_id and undone_at is null
    )
    then
        raise exception using errcode = '42501', message = 'Judge the task first.';
    end if;
    return (
        select jsonb_build_object(
            'name_a', secret.name_a, 'name_b', secret.name_b, 'model_a', secret.model_a, 'model_b', secret.model_b,
            'gold_verdict', secret.gold_verdict, 'gold_reason', secret.gold_reason,
            'judgments', (
                select coalesce(
                    jsonb_agg(
                        jsonb_build_object('rater_id', rater_id, 'verdict', verdict, 'comment', comment) order by judged_at
                    ),
                    '[]'
                )
                from public.judgments where task_id = p_task and undone_at is null and sealed_at is not null
            )
        )
        from public.rating_task_secrets as secret where secret.task_id = p_task
    );
end
$$;
comment on function public.reveal_task(uuid) is
    'After the vote: who the candidates are, the gold answer, and the final judgments. The caller''s own is final from then on.';

create function public.settle_judgments(p_campaign uuid) returns void
language plpgsql security definer set search_path = ''
as $$
begin
    if not exists (
        select from public.campaigns where id = p_campaign and tenant_id = private.my_tenant()
    )
    then
        raise exception using errcode = '42501', message = 'This campaign is not yours.';
    end if;
    perform private.seal_due(p_campaign);
end
$$;
comment on function public.settle_judgments(uuid) is
    'Makes final what nobody can undo any more, such as the last judgment of a day, so that it is counted in agreement and ranking.';

revoke execute on function private.rater(), private.running_leases(public.rating_tasks),
    private.next_task(uuid, uuid, text), private.lease_task(uuid, public.rater_profiles), private.claim_of(uuid, uuid),
    private.lock_task_of(uuid, public.rater_profiles), private.seal_due(uuid), private.end_lease(uuid, text)
    from public, anon, authenticated, service_role;
revoke execute on function public.claim_task(uuid), public.extend_lease(uuid), public.resume_task(uuid),
    public.skip_task(uuid), public.release_task(uuid), public.submit_judgment(uuid, text, text, double precision),
    public.undo_judgment(uuid), public.reveal_task(uuid), public.settle_judgments(uuid)
    from public, anon, authenticated, service_role;
grant execute on function public.claim_task(uuid), public.extend_lease(uuid), public.resume_task(uuid),
    public.skip_task(uuid), public.release_task(uuid), public.submit_judgment(uuid, text, text, double precision),
    public.undo_judgment(uuid), public.reveal_task(uuid), public.settle_judgments(uuid) to authenticated;
