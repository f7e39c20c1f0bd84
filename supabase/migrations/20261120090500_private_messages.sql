-- Messages between two people. They go with the account of either.

create table public.private_messages (
    id uuid constraint private_messages_pkey primary key default gen_random_uuid(),
    sender_id uuid not null default auth.uid()
        constraint private_messages_sender_id_fkey references public.users (id) on delete cascade,
    recipient_id uuid not null
        constraint private_messages_recipient_id_fkey references public.users (id) on delete cascade,
    body text not null,
    read_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint private_messages_body_length check (char_length(body) between 1 and 5000),
    constraint private_messages_body_not_blank check (body ~ '\S'),
    constraint private_messages_to_somebody_else check (recipient_id <> sender_id)
);
comment on table public.private_messages is 'Messages between two people, readable by these two only.';
comment on constraint private_messages_body_length on public.private_messages is 'A message has 1 to 5,000 characters.';
comment on constraint private_messages_body_not_blank on public.private_messages is 'A message has 1 to 5,000 characters.';
comment on constraint private_messages_to_somebody_else on public.private_messages is 'A message goes to somebody else.';

create index private_messages_sender_id_idx on public.private_messages (sender_id, created_at desc);
create index private_messages_recipient_id_idx on public.private_messages (recipient_id, created_at desc);

create function private.stamp_read_at() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if not private.via_api() then
        return new;
    end if;
    if tg_op = 'INSERT' then
        new.read_at := null;
    elsif new.read_at is not null then
        new.read_at := coalesce(old.read_at, now());
    end if;
    return new;
end
$$;
comment on function private.stamp_read_at() is 'The recipient says that it was read (or, with null, that it was not); the database says when.';
revoke execute on function private.stamp_read_at() from public, anon, authenticated, service_role;

create trigger guard_content before update on public.private_messages
    for each row when (
        (old.id, old.sender_id, old.recipient_id, old.body) is distinct from (new.id, new.sender_id, new.recipient_id, new.body)
    )
    execute function private.refuse('A private message cannot be changed once it is sent.');
create trigger stamp_read_at before insert or update on public.private_messages
    for each row execute function private.stamp_read_at();
create trigger stamp_row before insert or update on public.private_messages
    for each row execute function private.stamp_row();

alter table public.private_messages enable row level security;
revoke all on public.private_messages from public, anon, authenticated, service_role;
-- With SELECT and no policy a visitor sees no row. Without it, Realtime would tell a visitor that a row has changed
-- ("Error 401: Unauthorized" for each change), which is more than nothing.
grant select on public.private_messages to anon;
grant select, insert, delete on public.private_messages to authenticated;
grant update (read_at) on public.private_messages to authenticated;
grant select, insert, update, delete on public.private_messages to service_role;

create policy "The two parties may read" on public.private_messages
    for select to authenticated
    using (sender_id = (select auth.uid()) or recipient_id = (select auth.uid()));
create policy "Members may write to somebody" on public.private_messages
    for insert to authenticated with check (sender_id = (select auth.uid()));
create policy "The recipient may mark as read" on public.private_messages
    for update to authenticated
    using (recipient_id = (select auth.uid())) with check (recipient_id = (select auth.uid()));
create policy "The sender may take back" on public.private_messages
    for delete to authenticated using (sender_id = (select auth.uid()));
