-- What a check has found is said by the edge function, with the service key: not even managers can say it instead.
revoke update (auto_check, auto_check_status) on public.rating_tasks from authenticated;
