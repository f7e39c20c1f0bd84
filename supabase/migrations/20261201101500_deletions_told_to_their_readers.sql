-- The embedded Realtime asks the policies about a deleted row too, if its replica identity holds every column that they
-- need. So these hold whose a row is. Of the other private tables whoever is signed in learns the keys of deleted rows:
-- their policies need columns that can be null, or other tables.
alter table public.ended_sessions add constraint ended_sessions_owner_key unique (session_id, user_id);
alter table public.ended_sessions replica identity using index ended_sessions_owner_key;

alter table public.tenant_invites add constraint tenant_invites_tenant_key unique (id, tenant_id);
alter table public.tenant_invites replica identity using index tenant_invites_tenant_key;

alter table public.rater_profiles add constraint rater_profiles_tenant_key unique (user_id, tenant_id);
alter table public.rater_profiles replica identity using index rater_profiles_tenant_key;

alter table public.rating_task_secrets add constraint rating_task_secrets_tenant_key unique (task_id, tenant_id);
alter table public.rating_task_secrets replica identity using index rating_task_secrets_tenant_key;

alter table public.task_leases add constraint task_leases_tenant_key unique (id, user_id, tenant_id);
alter table public.task_leases replica identity using index task_leases_tenant_key;
alter table public.task_leases drop constraint task_leases_owner_key;
