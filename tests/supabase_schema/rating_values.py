"""For every constraint of the rating tables, SQL that violates it."""

from __future__ import annotations

_CONTENT = (
    "insert into public.rating_task_contents (task_id, tenant_id, prompt, candidate_a, candidate_b)"
    " values (%(open)s, %(tenant)s, {})"
)
_SECRET = (
    "delete from public.rating_task_secrets where task_id = %(open)s;"
    " insert into public.rating_task_secrets (task_id, tenant_id, name_a, name_b, {}) values"
    " (%(open)s, %(tenant)s, {})"
)
_CAMPAIGN = "update public.campaigns set {} where id = %(campaign)s"
_TASK = "update public.rating_tasks set {} where id = %(open)s"
_JUDGMENT = (
    "insert into public.judgments (tenant_id, campaign_id, task_id, user_id, rater_id, verdict, {})"
    " values (%(tenant)s, %(campaign)s, %(open)s, %(mate)s, 'mate', {})"
)
_PROFILE = "update public.rater_profiles set {} where user_id = %(rater)s"
_INVITE = "insert into public.tenant_invites (tenant_id, {}) values (%(tenant)s, {})"
_TALLY = (
    "insert into public.candidate_tallies (tenant_id, campaign_id, first, second, ties)"
    " values (%(tenant)s, %(campaign)s, {})"
)

CONSTRAINTS = {
    "tenants_id_form": "insert into public.tenants (id, name) values ('Acme Corp', 'Acme')",
    "tenants_name_length": "update public.tenants set name = ' ' where id = %(tenant)s",
    "tenant_invites_role_known": _INVITE.format("role", "'king'"),
    "tenant_invites_brand_id_form": _INVITE.format("role, brand_id", "'manager', 'brand'"),
    "tenant_invites_uses_left_range": _INVITE.format("uses_left", "-1"),
    "tenant_invites_expires_at_range": _INVITE.format("expires_at", "'infinity'"),
    "rater_profiles_rater_id_form": "insert into public.rater_profiles (user_id, tenant_id, rater_id, name)"
    " values (%(other)s, %(tenant)s, 'a rater', 'A')",
    "rater_profiles_name_length": _PROFILE.format("name = ''"),
    "rater_profiles_role_known": _PROFILE.format("role = 'king'"),
    "rater_profiles_brand_id_for_raters": "insert into public.rater_profiles"
    " (user_id, tenant_id, rater_id, name, role, brand_id)"
    " values (%(other)s, %(tenant)s, 'm', 'M', 'manager', 'b')",
    "rater_profiles_counts_sane": _PROFILE.format("agreed = compared + 1"),
    "rating_roles_role_known": "update public.rating_roles set role = 'king' where user_id = %(rater)s",
    "campaigns_name_length": _CAMPAIGN.format("name = repeat('x', 121)"),
    "campaigns_brand_id_form": "insert into public.campaigns (tenant_id, name, brand_id)"
    " values (%(tenant)s, 'C', 'two words')",
    "campaigns_guidelines_length": _CAMPAIGN.format("guidelines = repeat('x', 20001)"),
    "campaigns_task_types_form": _CAMPAIGN.format("task_types = '[1]'"),
    "campaigns_judgments_per_task_range": _CAMPAIGN.format("judgments_per_task = 101"),
    "campaigns_lease_seconds_range": _CAMPAIGN.format("lease_seconds = 4"),
    "campaigns_undo_seconds_range": _CAMPAIGN.format("undo_seconds = -1"),
    "campaigns_gold_share_range": _CAMPAIGN.format("gold_share = 'NaN'"),
    "campaigns_status_known": _CAMPAIGN.format("status = 'archived'"),
    "rating_tasks_task_type_form": "insert into public.rating_tasks (tenant_id, campaign_id, task_type)"
    " values (%(tenant)s, %(campaign)s, 'Tool call')",
    "rating_tasks_priority_range": _TASK.format("priority = 1001"),
    "rating_tasks_status_known": "alter table public.rating_tasks disable trigger stamp_task;"
    + _TASK.format("status = 'lost'"),
    "rating_tasks_judgments_count_range": _TASK.format("judgments_count = 4"),
    "rating_tasks_auto_check_status_known": _TASK.format("auto_check_status = 'maybe'"),
    "rating_tasks_auto_check_size": _TASK.format("auto_check = to_jsonb(repeat('x', 20001))"),
    "rating_task_contents_prompt_length": _CONTENT.format("' ', '1', '2'"),
    "rating_task_contents_candidate_a_size": _CONTENT.format("'p', to_jsonb(repeat('x', 200001)), '2'"),
    "rating_task_contents_candidate_b_size": _CONTENT.format("'p', '1', to_jsonb(repeat('x', 200001))"),
    "rating_task_contents_candidate_a_readable": _CONTENT.format("'p', '1e301', '2'"),
    "rating_task_contents_candidate_b_readable": _CONTENT.format("'p', '1', '[[1e301]]'"),
    "rating_task_secrets_external_id_length": _SECRET.format("external_id", "'a', 'b', repeat('x', 201)"),
    "rating_task_secrets_name_a_length": _SECRET.format("model_a", "'', 'b', null"),
    "rating_task_secrets_name_b_length": _SECRET.format("model_a", "'a', ' ', null"),
    "rating_task_secrets_names_differ": _SECRET.format("model_a", "'a', 'a', null"),
    "rating_task_secrets_model_a_length": _SECRET.format("model_a", "'a', 'b', repeat('x', 201)"),
    "rating_task_secrets_model_b_length": _SECRET.format("model_b", "'a', 'b', repeat('x', 201)"),
    "rating_task_secrets_gold_verdict_known": _SECRET.format("gold_verdict", "'a', 'b', 'C'"),
    "rating_task_secrets_gold_reason_length": _SECRET.format("gold_reason", "'a', 'b', repeat('x', 5001)"),
    "task_leases_state_known": "update public.task_leases set state = 'lost' where task_id = %(claimed)s",
    "judgments_verdict_known": _JUDGMENT.format("comment", "'C', ''"),
    "judgments_comment_length": _JUDGMENT.format("comment", "'A', repeat('x', 2001)"),
    "judgments_seconds_range": _JUDGMENT.format("seconds", "'A', 'NaN'"),
    "judgments_sealed_or_undone": _JUDGMENT.format("sealed_at, undone_at", "'A', now(), now()"),
    "candidate_tallies_in_order": _TALLY.format("'b', 'a', 0"),
    "candidate_tallies_counts_sane": _TALLY.format("'a', 'b', -1"),
}
