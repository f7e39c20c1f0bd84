"""What the constraints of the rating tables mean, in the words that the migrations give them."""

from __future__ import annotations

from collections.abc import Mapping

READABLE = "JSON has less than 100 levels, and numbers up to 1e300."

RATING_MEANING: Mapping[str, tuple[str, str]] = {
    "campaigns_brand_id_form": (
        "brand_id",
        "A brand has 1 to 64 letters, digits, dots, hyphens and underscores.",
    ),
    "campaigns_gold_share_range": ("gold_share", "The share of gold tasks is between 0 and 1."),
    "campaigns_guidelines_length": ("guidelines", "Guidelines have up to 20,000 characters."),
    "campaigns_judgments_per_task_range": ("judgments_per_task", "A task is judged 1 to 100 times."),
    "campaigns_lease_seconds_range": ("lease_seconds", "The time for a task is between 5 seconds and a day."),
    "campaigns_name_length": ("name", "A campaign's name has 1 to 120 characters."),
    "campaigns_status_known": ("status", "A campaign is draft, active, paused or completed."),
    "campaigns_task_types_form": ("task_types", "Task types are a list of words."),
    "campaigns_undo_seconds_range": ("undo_seconds", "The time to undo is up to an hour."),
    "candidate_tallies_counts_sane": ("counts", "These counts cannot be."),
    "candidate_tallies_in_order": ("first", "The two candidates are in the order of their names."),
    "judgments_comment_length": ("comment", "A comment has up to 2,000 characters."),
    "judgments_sealed_or_undone": ("sealed_at", "A final judgment cannot be undone."),
    "judgments_seconds_range": ("seconds", "A judgment takes up to a day."),
    "judgments_verdict_known": ("verdict", "A verdict is A, B, tie or both_bad."),
    "rater_profiles_brand_id_for_raters": ("brand_id", "A manager sees all brands of the tenant."),
    "rater_profiles_counts_sane": ("counts", "These counts cannot be."),
    "rater_profiles_name_length": ("name", "A name has 1 to 60 characters."),
    "rater_profiles_rater_id_form": (
        "rater_id",
        "A rater's id has 1 to 64 letters, digits, dots, hyphens and underscores.",
    ),
    "rater_profiles_role_known": ("role", "A role is rater or manager."),
    "rating_roles_role_known": ("role", "A role is rater, manager or none."),
    "rating_task_contents_candidate_a_size": ("candidate_a", "A candidate has up to 200 kB of JSON."),
    "rating_task_contents_candidate_b_size": ("candidate_b", "A candidate has up to 200 kB of JSON."),
    "rating_task_contents_candidate_a_readable": ("candidate_a", READABLE),
    "rating_task_contents_candidate_b_readable": ("candidate_b", READABLE),
    "rating_task_contents_prompt_length": ("prompt", "A prompt has 1 to 50,000 characters."),
    "rating_task_secrets_external_id_length": ("external_id", "An id has up to 200 characters."),
    "rating_task_secrets_gold_reason_length": ("gold_reason", "A reason has up to 5,000 characters."),
    "rating_task_secrets_gold_verdict_known": ("gold_verdict", "A verdict is A, B, tie or both_bad."),
    "rating_task_secrets_model_a_length": ("model_a", "A model has up to 200 characters."),
    "rating_task_secrets_model_b_length": ("model_b", "A model has up to 200 characters."),
    "rating_task_secrets_name_a_length": ("name_a", "A candidate's name has 1 to 120 characters."),
    "rating_task_secrets_name_b_length": ("name_b", "A candidate's name has 1 to 120 characters."),
    "rating_task_secrets_names_differ": ("name_b", "The two candidates have different names."),
    "rating_tasks_auto_check_size": ("auto_check", "The result of a check has up to 20 kB of JSON."),
    "rating_tasks_auto_check_status_known": ("auto_check_status", "That is not a status of a check."),
    "rating_tasks_judgments_count_range": ("judgments_count", "This task has all its judgments."),
    "rating_tasks_priority_range": ("priority", "A priority is between -1,000 and 1,000."),
    "rating_tasks_status_known": ("status", "That is not a status of a task."),
    "rating_tasks_task_type_form": (
        "task_type",
        "A task type has 1 to 60 small letters, digits and underscores.",
    ),
    "task_leases_state_known": ("state", "That is not a state of a lease."),
    "tenant_invites_brand_id_form": (
        "brand_id",
        "A brand has 1 to 64 letters, digits, dots, hyphens and underscores, and is for raters only.",
    ),
    "tenant_invites_role_known": ("role", "One joins as a rater or as a manager."),
    "tenant_invites_expires_at_range": ("expires_at", "An invitation ends between the years 1970 and 9998."),
    "tenant_invites_uses_left_range": ("uses_left", "A code is good for up to 10,000 people."),
    "tenants_id_form": ("id", "A tenant's id has 2 to 63 small letters, digits, hyphens and underscores."),
    "tenants_name_length": ("name", "A tenant's name has 1 to 100 characters."),
}
