-- What happens in a tenant whose queue is kept in another database (MariaDB, SQLite, a Postgres of one's own) is
-- broadcast over Realtime, ids only, in a private channel: `ratings:<tenant>`, and `ratings:<tenant>:<brand>` for raters
-- of one brand. Only the program with the service key sends there; these are the people who may listen.

create function private.my_rating_channel() returns text
language sql stable security definer set search_path = ''
as $$
    select 'ratings:' || tenant_id || coalesce(':' || brand_id, '')
    from public.rater_profiles where user_id = (select auth.uid()) and active
$$;
comment on function private.my_rating_channel() is 'The private Realtime channel that the caller may listen to; null for none.';
revoke execute on function private.my_rating_channel() from public;
grant execute on function private.my_rating_channel() to authenticated;

do $$
begin
    -- Older projects have no authorization of channels; private ones cannot be joined there at all.
    if to_regclass('realtime.messages') is not null and to_regprocedure('realtime.topic()') is not null then
        create policy "Members may listen to what happens in their tenant" on realtime.messages
            for select to authenticated
            using (extension = 'broadcast' and (select realtime.topic()) = (select private.my_rating_channel()));
    end if;
end
$$;
