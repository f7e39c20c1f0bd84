-- Trying again is for what has ended. The page offers nothing else, but programs ask for whatever they like.

create function private.guard_retry() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    -- A run of somebody else, or of nobody, is left to the foreign key.
    if exists (
        select 1 from public.agent_runs
        where id = new.retry_of and user_id = new.user_id and not private.is_finished_run(status)
    ) then
        raise exception using errcode = '23514', message = 'This run is not finished: it cannot be tried again yet.',
            hint = 'Cancel it first, or wait for its end.';
    end if;
    return new;
end
$$;
revoke execute on function private.guard_retry() from public, anon, authenticated, service_role;

create trigger guard_retry before insert on public.agent_runs
    for each row when (new.retry_of is not null)
    execute function private.guard_retry();
