-- The embedded Realtime asks as many policies about a deleted row as its replica identity can answer. What these tables'
-- policies need besides (columns that can be null, other tables) is gone with the row. So each has a policy that only
-- restricts, by what is known of a deleted row too: whoever is not of the tenant, or no admin, is told of no deletion.
-- It changes nothing about who sees rows: the policies that permit ask the same and more.
alter table public.campaigns replica identity using index campaigns_tenant_key;

alter table public.rating_tasks add constraint rating_tasks_tenant_key unique (id, tenant_id);
alter table public.rating_tasks replica identity using index rating_tasks_tenant_key;

alter table public.rating_task_contents add constraint rating_task_contents_tenant_key unique (task_id, tenant_id);
alter table public.rating_task_contents replica identity using index rating_task_contents_tenant_key;

alter table public.judgments add constraint judgments_tenant_key unique (id, tenant_id);
alter table public.judgments replica identity using index judgments_tenant_key;

alter table public.candidate_tallies add constraint candidate_tallies_tenant_key unique (id, tenant_id);
alter table public.candidate_tallies replica identity using index candidate_tallies_tenant_key;

create policy "Nobody sees campaigns of another tenant" on public.campaigns
    as restrictive for select to authenticated using (tenant_id = (select private.my_tenant()));
create policy "Nobody sees tasks of another tenant" on public.rating_tasks
    as restrictive for select to authenticated using (tenant_id = (select private.my_tenant()));
create policy "Nobody sees contents of another tenant" on public.rating_task_contents
    as restrictive for select to authenticated using (tenant_id = (select private.my_tenant()));
create policy "Nobody sees judgments of another tenant" on public.judgments
    as restrictive for select to authenticated using (tenant_id = (select private.my_tenant()));
create policy "Nobody sees tallies of another tenant" on public.candidate_tallies
    as restrictive for select to authenticated using (tenant_id = (select private.my_tenant()));
create policy "Only admins see the log" on public.change_log
    as restrictive for select to authenticated using ((select private.is_admin()));
