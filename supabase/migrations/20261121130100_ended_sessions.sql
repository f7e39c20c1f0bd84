-- Which sign-ins have ended, so that every tab that still holds one gives it up at once, on whatever server it is.
-- Signing out, a new password and the end of an account delete rows of auth.sessions, which no client may see and
-- Realtime does not send.
create table public.ended_sessions (
    session_id uuid constraint ended_sessions_pkey primary key,
    -- No foreign key: what ended may have been the account.
    user_id uuid not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.ended_sessions is 'Sign-ins that have ended, kept for 30 days. Written by a trigger on auth.sessions.';
comment on column public.ended_sessions.session_id is 'The session_id of the sign-in''s tokens.';

create index ended_sessions_user_id_idx on public.ended_sessions (user_id);
create index ended_sessions_created_at_idx on public.ended_sessions (created_at);

create trigger guard_key before update on public.ended_sessions
    for each row execute function private.refuse('A session that has ended cannot be changed.');
create trigger stamp_row before insert or update on public.ended_sessions
    for each row execute function private.stamp_row();
create trigger log_change after insert or update or delete on public.ended_sessions
    for each row execute function private.log_change('user_id', 'session_id');

create function private.note_ended_session() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    delete from public.ended_sessions
    where session_id in (
        select old_one.session_id from public.ended_sessions as old_one
        where old_one.created_at < now() - interval '30 days'
        order by old_one.created_at limit 100
    );
    insert into public.ended_sessions (session_id, user_id) values (old.id, old.user_id) on conflict do nothing;
    return null;
exception when others then
    -- Signing out has to work whatever is the matter here; the app asks now and then, too.
    raise warning 'A session that ended could not be noted: %', sqlerrm;
    return null;
end
$$;
revoke execute on function private.note_ended_session() from public, anon, authenticated, service_role;

do $$
begin
    create trigger tavern_note_ended_session after delete on auth.sessions
        for each row execute function private.note_ended_session();
exception when insufficient_privilege or undefined_table then
    -- Hosted projects allow triggers on Auth's tables. Where one does not, the app finds out by asking.
    raise notice 'No trigger on auth.sessions: %', sqlerrm;
end
$$;

alter table public.ended_sessions enable row level security;
revoke all on public.ended_sessions from public, anon, authenticated, service_role;
-- With SELECT and no policy a visitor sees no row; without it, Realtime would tell them that there was one.
grant select on public.ended_sessions to anon, authenticated;
grant select, insert, update, delete on public.ended_sessions to service_role;
create policy "A person may see that a sign-in of theirs has ended" on public.ended_sessions
    for select to authenticated using (user_id = (select auth.uid()));

alter publication supabase_realtime add table public.ended_sessions;
