-- Members follow their own runs by a filter on user_id. Realtime decides a deletion's filter by the columns of the
-- replica identity, so that has to hold it. For runs the smallest index that does: they can be large. Events are
-- never updated, so a full identity costs nothing until one is deleted.
alter table public.agent_runs replica identity using index agent_runs_owner_key;
alter table public.agent_run_events replica identity full;
