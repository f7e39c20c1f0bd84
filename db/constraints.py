"""What the constraints of the schema mean, in the words that the migrations give them."""

from __future__ import annotations

from collections.abc import Mapping

MEANING: Mapping[str, tuple[str, str]] = {
    "users_display_name_length": ("display_name", "A name has 1 to 60 characters."),
    "users_display_name_plain": (
        "display_name",
        "A name has no spaces around it and no invisible characters.",
    ),
    "users_bio_length": ("bio", "A bio has up to 500 characters."),
    "users_avatar_length": ("avatar", "An avatar has up to 300 characters."),
    "users_avatar_form": ("avatar", "An avatar is an emoji or an https address."),
    "users_role_known": ("role", "A role is member, organizer or admin."),
    "events_title_length": ("title", "A title has 1 to 120 characters."),
    "events_title_not_blank": ("title", "A title has 1 to 120 characters."),
    "events_description_length": ("description", "A description has up to 5,000 characters."),
    "events_ends_after_start": ("ends_at", "An event ends after it starts."),
    "events_times_finite": ("starts_at", "An event has a start and an end."),
    "events_location_length": ("location", "A location has up to 200 characters."),
    "events_capacity_range": ("capacity", "A capacity is between 1 and 100,000, or left empty."),
    "rsvps_status_known": ("status", "An answer is going, maybe or declined."),
    "tavern_messages_body_length": ("body", "A message has 1 to 2,000 characters."),
    "tavern_messages_body_not_blank": ("body", "A message has 1 to 2,000 characters."),
    "tavern_messages_body_or_hidden": ("body", "A message has 1 to 2,000 characters."),
    "private_messages_body_length": ("body", "A message has 1 to 5,000 characters."),
    "private_messages_body_not_blank": ("body", "A message has 1 to 5,000 characters."),
    "private_messages_to_somebody_else": ("recipient_id", "A message goes to somebody else."),
    "agent_runs_task_id_length": ("task_id", "A task has up to 200 characters."),
    "agent_runs_agent_name_length": ("agent_name", "An agent's name has 1 to 80 characters."),
    "agent_runs_agent_id_length": ("agent_id", "An agent's id has 1 to 200 characters."),
    "agent_runs_status_known": ("status", "That is not a status of a run."),
    "agent_runs_current_step_length": ("current_step", "A step has up to 300 characters."),
    "agent_runs_progress_percent_range": ("progress_percent", "Progress is between 0 and 100 percent."),
    "agent_runs_result_size": ("result", "A result has up to 200 kB of JSON."),
    "agent_runs_error_length": ("error", "An error has up to 5,000 characters."),
    "agent_runs_metadata_form": ("metadata", "Metadata is a JSON object of up to 20 kB."),
    "agent_runs_verification_evidence_form": (
        "verification_evidence",
        "Evidence is a JSON list of up to 100 kB.",
    ),
    "agent_runs_tokens_range": ("tokens", "Tokens cannot be fewer than none."),
    "agent_runs_cost_usd_range": ("cost_usd", "A cost is between 0 and 1,000,000 dollars."),
    "agent_run_events_kind_known": ("kind", "An event is a step, a log line or a status."),
    "agent_run_events_level_known": ("level", "A level is debug, info, warning or error."),
    "agent_run_events_message_length": ("message", "An event has up to 20,000 characters."),
    "agent_run_events_data_size": ("data", "The data of an event has up to 20 kB of JSON."),
}
"""Constraint name: the column it is about, and a sentence for the person who met it."""
