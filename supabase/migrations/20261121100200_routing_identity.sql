-- Realtime decides a deletion's filter by the columns of the replica identity. Decisions can be followed by any of their
-- columns and are never updated, so a full identity costs nothing until old ones are pruned. The sums of a day are
-- updated all the time, and followed by their person only: the smallest index that has both serves there.
alter table public.routing_metrics replica identity full;
alter table public.routing_daily add constraint routing_daily_owner_key unique (id, user_id);
alter table public.routing_daily replica identity using index routing_daily_owner_key;
alter table public.routing_budgets replica identity full;
