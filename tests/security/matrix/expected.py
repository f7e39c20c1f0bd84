"""What is expected of functions, buckets and channels, besides the access tables of tests/supabase_schema."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.supabase_schema.access import Values

EVERYBODY = "everybody"
MEMBERS = "members"
"""Everybody but the visitor."""

READABLE_ELSEWHERE = frozenset(
    (
        "storage.objects",
        "storage.buckets",
        "realtime.messages",
        # Postgres hides the statements of others in it.
        "extensions.pg_stat_statements",
        "extensions.pg_stat_statements_info",
    )
)
"""Relations outside the exposed schemas that people may use. The tables among them have row security."""

# For roles that the access tables of tests/supabase_schema do not have.
MORE_ROLES = """
    table           role         select  insert  update  delete
    tenants         brand_rater  yes     no      no      no
    rater_profiles  brand_rater  yes     no      no      no
"""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function: its arguments, and the roles that may make it (EVERYBODY, MEMBERS, or names)."""

    arguments: Values
    may: str = ""

    def allows(self, role: str, visitor: str) -> bool:
        """Whether a role may make the call."""
        return self.may == EVERYBODY or (self.may == MEMBERS and role != visitor) or role in self.may.split()


FUNCTIONS: Mapping[str, Call] = {
    "changes_since": Call({}, EVERYBODY),
    "claim_task": Call({"p_campaign": "{campaign}"}, "rater mate"),
    "clean_up": Call({"p_user": "{owner}", "p_table": "tavern_messages", "p_before": "now"}, "admin"),
    "create_rating_tasks": Call({"p_campaign": "{campaign}", "p_tasks": []}, "manager"),
    "create_tenant": Call({"p_id": "a", "p_name": "Too short an id"}, MEMBERS),
    "diagnostics": Call({}, "admin"),
    "end_session": Call({"p_session": "{owner}"}),  # asks for a sign-in, which these tokens lack
    "extend_lease": Call({"p_task": "{claimed}"}, "rater"),
    "first_rows": Call({"p_tables": []}, MEMBERS),
    "graphql": Call({}, EVERYBODY),  # Supabase's own; with the rights of its caller
    "hidden_message_body": Call({"p_message_id": "{hidden}"}, "owner admin"),
    "join_tenant": Call({"p_code": "no code"}, MEMBERS),
    "known_rating_tasks": Call(
        {"p_campaign": "{campaign}", "p_ids": ["{claimed}"], "p_external_ids": []}, "manager rater mate"
    ),
    "my_sessions": Call({}),  # asks for a sign-in, which these tokens lack
    "new_recovery_codes": Call({}),  # asks for a sign-in, which these tokens lack
    "open_tenants": Call({}, MEMBERS),
    "prune_change_log": Call({}),
    "prune_routing_metrics": Call({}),
    "recovery_codes_left": Call({}, MEMBERS),
    "release_task": Call({"p_task": "{claimed}"}, "rater"),
    "resume_task": Call({"p_task": "{claimed}"}, "rater"),
    "reveal_task": Call({"p_task": "{judged}"}, "rater"),
    "run_id_for_key": Call({"p_key": "a key"}, MEMBERS),
    "search_messages": Call({"p_query": "hello"}, EVERYBODY),
    "settle_judgments": Call({"p_campaign": "{campaign}"}, "manager rater mate brand_rater"),
    "settle_waitlists": Call({}, EVERYBODY),
    "skip_task": Call({"p_task": "{claimed}"}, "rater"),
    "submit_judgment": Call({"p_task": "{claimed}", "p_verdict": "A"}, "rater"),
    "tenant_files": Call({"p_bucket": "model-artifacts", "p_tenant": "{tenant}"}, "manager rater mate"),
    "undo_judgment": Call({"p_task": "{judged}"}, "rater"),
    "use_recovery_code": Call({"p_code": "no code"}),  # asks for a sign-in, which these tokens lack
    "writes_by_person": Call({"p_minutes": 5}, "admin"),
}

_READS = "read info list sign"

BUCKETS: Mapping[str, Mapping[str, str]] = {
    "model-artifacts": {
        "manager": f"{_READS} upload sign_upload replace copy move delete",
        "rater": f"{_READS} upload sign_upload copy",
        "mate": f"{_READS} upload sign_upload copy",
    },
    "training-data": {
        "manager": f"{_READS} upload sign_upload replace copy move delete",
        "rater": f"{_READS} upload sign_upload copy",
        "mate": f"{_READS} upload sign_upload copy",
    },
    "exports": {
        "public": "read info",
        "manager": f"{_READS} upload sign_upload replace copy move delete",
        "rater": _READS,
        "mate": _READS,
    },
    "avatars": {
        "public": "read info",
        "owner": f"{_READS} upload sign_upload copy delete",
    },
    "event-pictures": {
        "public": "read info",
        "owner": f"{_READS} upload sign_upload copy delete",
        "cohost": f"{_READS} upload sign_upload copy delete",
    },
}
"""What each role may do with a tenant's files that another person put there, and with the pictures of
`owner`. Who is not named may do nothing.
`public` marks a bucket that is read without a token, and says what everybody may do who knows a file's name.
"""

_OF_THE_TENANT = "manager rater mate brand_rater"
TOLD_BY_KEY: Mapping[str, str] = {
    "campaigns": _OF_THE_TENANT,
    "candidate_tallies": _OF_THE_TENANT,
    "change_log": "admin",
    "judgments": _OF_THE_TENANT,
    "rating_task_contents": _OF_THE_TENANT,
    "rating_tasks": _OF_THE_TENANT,
}
"""Tables whose replica identity does not hold all that their policies ask, and who may be told the key of
a deleted row that they could not see."""

CHANNELS: Mapping[str, str] = {
    "ratings:{tenant}": "manager rater mate",
    "ratings:{tenant}:acme": "brand_rater",
    "anything": "",
}
"""Private channels, and who may join them."""
