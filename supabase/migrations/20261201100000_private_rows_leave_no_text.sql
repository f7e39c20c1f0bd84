-- Realtime decides the filter of a deletion by the columns of the replica identity, and asks no policy: the row is gone.
-- With a full identity whoever had the public key could put questions to private text as it was deleted
-- (`body=like.%word%`). So the identity of a private row is its key and whose it is, never what it says.
--
-- An update then carries its old key only, and leaves out unchanged values that are stored out of line: the reader
-- fetches such a row under row level security.
alter table public.private_messages add constraint private_messages_parties_key unique (id, sender_id, recipient_id);
alter table public.private_messages replica identity using index private_messages_parties_key;

alter table public.agent_run_events add constraint agent_run_events_owner_key unique (id, user_id);
alter table public.agent_run_events replica identity using index agent_run_events_owner_key;

alter table public.routing_metrics add constraint routing_metrics_owner_key unique (id, user_id);
alter table public.routing_metrics replica identity using index routing_metrics_owner_key;

alter table public.routing_budgets add constraint routing_budgets_owner_key unique (id, user_id);
alter table public.routing_budgets replica identity using index routing_budgets_owner_key;

alter table public.task_leases add constraint task_leases_owner_key unique (id, user_id);
alter table public.task_leases replica identity using index task_leases_owner_key;

-- The person of a judgment is null once their account is gone, which no identity may be.
alter table public.judgments replica identity default;
