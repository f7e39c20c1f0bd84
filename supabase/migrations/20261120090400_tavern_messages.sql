-- The common room. A hidden message keeps its place, its text moves to where only moderators and its author reach it.

create table public.tavern_messages (
    id uuid constraint tavern_messages_pkey primary key default gen_random_uuid(),
    author_id uuid not null default auth.uid()
        constraint tavern_messages_author_id_fkey references public.users (id) on delete cascade,
    body text,
    edited_at timestamptz,
    hidden_at timestamptz,
    hidden_by uuid constraint tavern_messages_hidden_by_fkey references public.users (id) on delete set null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint tavern_messages_body_length check (char_length(body) between 1 and 2000),
    constraint tavern_messages_body_not_blank check (body ~ '\S'),
    constraint tavern_messages_body_or_hidden check ((body is null) = (hidden_at is not null)),
    constraint tavern_messages_hidden_by_whom check (hidden_by is null or hidden_at is not null)
);
comment on table public.tavern_messages is 'The chat. A hidden message has no body.';
comment on constraint tavern_messages_body_length on public.tavern_messages is 'A message has 1 to 2,000 characters.';
comment on constraint tavern_messages_body_not_blank on public.tavern_messages is 'A message has 1 to 2,000 characters.';
comment on constraint tavern_messages_body_or_hidden on public.tavern_messages is 'A message has 1 to 2,000 characters.';
-- The replica identity is the key (a full one would send the text once more in the event that hides it), and Realtime
-- leaves out unchanged values that are stored out of line. So the text stays in the row: 2,000 characters always fit.
alter table public.tavern_messages alter column body set storage main;

create index tavern_messages_created_at_idx on public.tavern_messages (created_at desc, id desc);
create index tavern_messages_author_id_idx on public.tavern_messages (author_id);
create index tavern_messages_hidden_by_idx on public.tavern_messages (hidden_by) where hidden_by is not null;

create table private.hidden_bodies (
    message_id uuid constraint hidden_bodies_pkey primary key
        constraint hidden_bodies_message_id_fkey references public.tavern_messages (id) on delete cascade,
    body text not null
);
comment on table private.hidden_bodies is 'The texts of hidden messages, read through public.hidden_message_body().';
alter table private.hidden_bodies enable row level security; -- and no policy: whatever is granted one day, no row is seen
revoke all on private.hidden_bodies from public, anon, authenticated, service_role;

create function private.guard_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if not private.via_api() then
        return new;
    end if;
    if (old.hidden_at is null) <> (new.hidden_at is null) and not private.is_admin() then
        raise exception using errcode = '42501', message = 'Only a moderator can hide or show a message.';
    end if;
    if new.body is distinct from old.body and old.author_id is distinct from (select auth.uid()) then
        raise exception using errcode = '42501', message = 'Only the author can edit a message.';
    end if;
    return new;
end
$$;
revoke execute on function private.guard_message() from public, anon, authenticated, service_role;

create function private.moderate_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    new.edited_at := old.edited_at;
    if old.hidden_at is null and new.hidden_at is not null then
        insert into private.hidden_bodies (message_id, body) values (old.id, old.body);
        new.body := null;
        new.hidden_at := now();
        new.hidden_by := (select auth.uid());
    elsif old.hidden_at is not null and new.hidden_at is null then
        delete from private.hidden_bodies where message_id = old.id returning body into new.body;
        new.hidden_by := null;
    elsif old.hidden_at is not null then
        if new.body is not null then
            raise exception using errcode = '42501', message = 'This message was hidden by a moderator.';
        end if;
        new.hidden_at := old.hidden_at;
        if private.via_api() then
            new.hidden_by := old.hidden_by;
        end if;
    else
        new.hidden_by := null;
        if new.body is distinct from old.body then
            new.edited_at := now();
        end if;
    end if;
    return new;
end
$$;
comment on function private.moderate_message() is
    'Setting hidden_at hides, clearing it shows again; by whom, when and the text are seen to here, and so is edited_at.';
revoke execute on function private.moderate_message() from public, anon, authenticated, service_role;

create function private.begin_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    new.edited_at := null;
    new.hidden_at := null;
    new.hidden_by := null;
    return new;
end
$$;
revoke execute on function private.begin_message() from public, anon, authenticated, service_role;

create trigger begin_message before insert on public.tavern_messages
    for each row execute function private.begin_message();
create trigger guard_author before update on public.tavern_messages
    for each row when (old.author_id is distinct from new.author_id)
    execute function private.refuse_to_api('The author of a message cannot be changed.');
create trigger guard_key before update on public.tavern_messages
    for each row when (old.id is distinct from new.id)
    execute function private.refuse('The id of a message cannot be changed.');
create trigger guard_message before update on public.tavern_messages
    for each row execute function private.guard_message();
create trigger moderate_message before update on public.tavern_messages
    for each row execute function private.moderate_message();
create trigger stamp_row before insert or update on public.tavern_messages
    for each row execute function private.stamp_row();

create function public.hidden_message_body(p_message_id uuid) returns text
language sql stable security definer set search_path = ''
as $$
    select hidden.body
    from private.hidden_bodies as hidden
    join public.tavern_messages as message on message.id = hidden.message_id
    where hidden.message_id = p_message_id
        and (message.author_id = (select auth.uid()) or (select private.is_admin()))
$$;
comment on function public.hidden_message_body(uuid) is
    'The text of a hidden message for its author and for moderators; null for others and for messages that are not hidden.';
revoke execute on function public.hidden_message_body(uuid) from public, anon, authenticated, service_role;
grant execute on function public.hidden_message_body(uuid) to authenticated;

alter table public.tavern_messages enable row level security;
revoke all on public.tavern_messages from public, anon, authenticated, service_role;
grant select on public.tavern_messages to anon;
grant select, insert, update, delete on public.tavern_messages to authenticated, service_role;

create policy "Anyone may read the chat" on public.tavern_messages
    for select to anon, authenticated using (true);
create policy "Members may say something" on public.tavern_messages
    for insert to authenticated with check (author_id = (select auth.uid()));
-- The triggers part the two: the author the text, a moderator whether it is shown.
create policy "Authors may edit, moderators may hide" on public.tavern_messages
    for update to authenticated
    using (author_id = (select auth.uid()) or (select private.is_admin()))
    with check (author_id = (select auth.uid()) or (select private.is_admin()));
create policy "Authors may delete" on public.tavern_messages
    for delete to authenticated using (author_id = (select auth.uid()));
