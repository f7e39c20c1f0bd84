-- Which tasks of an import a campaign has already: by their ids, which are made from their content, or by the ids that they have
-- in the system they came from. An import then names those rows instead of adding a second task, or nothing, without a word.

create index rating_task_secrets_external_id_idx on public.rating_task_secrets (tenant_id, external_id)
    where external_id is not null;

create function public.known_rating_tasks(p_campaign uuid, p_ids uuid[], p_external_ids text[])
returns table (id uuid, external_id text)
language sql stable set search_path = ''
as $$
    select task.id, null
    from public.rating_tasks as task
    where task.campaign_id = p_campaign and task.id = any (p_ids[1:1000])
    union all
    select task.id, secret.external_id
    from public.rating_task_secrets as secret
    join public.rating_tasks as task on task.id = secret.task_id
    where secret.external_id = any (p_external_ids[1:1000]) and task.campaign_id = p_campaign
$$;
comment on function public.known_rating_tasks(uuid, uuid[], text[]) is
    'Which of up to 1,000 tasks a campaign has: by id, and by external_id, for managers. With the rights of the caller.';
revoke execute on function public.known_rating_tasks(uuid, uuid[], text[]) from public, anon, authenticated, service_role;
grant execute on function public.known_rating_tasks(uuid, uuid[], text[]) to authenticated;
