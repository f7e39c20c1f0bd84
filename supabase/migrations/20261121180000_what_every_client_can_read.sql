-- A list is read as a whole: one value that clients cannot parse keeps an admin, or all raters of a tenant, from every
-- row beside it. Python's json gives up beyond 4,300 digits or some 900 levels, its datetime before the year 1 and after
-- 9999, and shifting a time to somebody's zone takes a day off that. Postgres and JSON know no such bounds.

alter table public.agent_runs
    add constraint agent_runs_started_at_range check (started_at >= '1970-01-01 00:00+00'),
    add constraint agent_runs_result_readable check (
        not jsonb_path_exists(result, 'strict $.**{100}')
        and not jsonb_path_exists(result, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    ),
    add constraint agent_runs_metadata_readable check (
        not jsonb_path_exists(metadata, 'strict $.**{100}')
        and not jsonb_path_exists(metadata, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    ),
    add constraint agent_runs_verification_evidence_readable check (
        not jsonb_path_exists(verification_evidence, 'strict $.**{100}')
        and not jsonb_path_exists(verification_evidence, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    );
comment on constraint agent_runs_started_at_range on public.agent_runs is 'A run starts in 1970 or later.';
comment on constraint agent_runs_result_readable on public.agent_runs is
    'JSON has less than 100 levels, and numbers up to 1e300.';
comment on constraint agent_runs_metadata_readable on public.agent_runs is
    'JSON has less than 100 levels, and numbers up to 1e300.';
comment on constraint agent_runs_verification_evidence_readable on public.agent_runs is
    'JSON has less than 100 levels, and numbers up to 1e300.';

alter table public.agent_run_events
    add constraint agent_run_events_at_range check (at >= '1970-01-01 00:00+00'),
    add constraint agent_run_events_data_readable check (
        not jsonb_path_exists(data, 'strict $.**{100}')
        and not jsonb_path_exists(data, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    );
comment on constraint agent_run_events_at_range on public.agent_run_events is 'An event of a run happens in 1970 or later.';
comment on constraint agent_run_events_data_readable on public.agent_run_events is
    'JSON has less than 100 levels, and numbers up to 1e300.';

alter table public.routing_metrics
    add constraint routing_metrics_metadata_readable check (
        not jsonb_path_exists(metadata, 'strict $.**{100}')
        and not jsonb_path_exists(metadata, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    );
comment on constraint routing_metrics_metadata_readable on public.routing_metrics is
    'JSON has less than 100 levels, and numbers up to 1e300.';

alter table public.rating_task_contents
    add constraint rating_task_contents_candidate_a_readable check (
        not jsonb_path_exists(candidate_a, 'strict $.**{100}')
        and not jsonb_path_exists(candidate_a, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    ),
    add constraint rating_task_contents_candidate_b_readable check (
        not jsonb_path_exists(candidate_b, 'strict $.**{100}')
        and not jsonb_path_exists(candidate_b, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    );
comment on constraint rating_task_contents_candidate_a_readable on public.rating_task_contents is
    'JSON has less than 100 levels, and numbers up to 1e300.';
comment on constraint rating_task_contents_candidate_b_readable on public.rating_task_contents is
    'JSON has less than 100 levels, and numbers up to 1e300.';

alter table public.events
    add constraint events_times_range check (
        starts_at >= '1900-01-01 00:00+00' and ends_at < '9999-01-01 00:00+00'
    ),
    add constraint events_cancelled_at_range check (
        cancelled_at >= '1900-01-01 00:00+00' and cancelled_at < '9999-01-01 00:00+00'
    );
comment on constraint events_times_range on public.events is 'An event is between the years 1900 and 9998.';
comment on constraint events_cancelled_at_range on public.events is 'An event is called off between the years 1900 and 9998.';

alter table public.tenant_invites
    add constraint tenant_invites_expires_at_range check (
        expires_at >= '1970-01-01 00:00+00' and expires_at < '9999-01-01 00:00+00'
    );
comment on constraint tenant_invites_expires_at_range on public.tenant_invites is
    'An invitation ends between the years 1970 and 9998.';
