-- Whoever cancels an event may say why. The reason goes with the cancellation: an event that is on again has none.

alter table public.events
    add column cancel_reason text not null default '',
    add constraint events_cancel_reason_length check (char_length(cancel_reason) <= 500);
comment on column public.events.cancel_reason is 'Why it was cancelled, for everybody to read; empty without a reason.';
comment on constraint events_cancel_reason_length on public.events is 'A reason has up to 500 characters.';

create function private.clear_cancel_reason() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    new.cancel_reason := '';
    return new;
end
$$;
comment on function private.clear_cancel_reason() is 'Takes the reason from an event that is not cancelled.';
revoke execute on function private.clear_cancel_reason() from public, anon, authenticated, service_role;

create trigger clear_cancel_reason before insert or update on public.events
    for each row when (new.cancelled_at is null and new.cancel_reason <> '')
    execute function private.clear_cancel_reason();
