"""Who may do what with the rating tables."""

from tests.supabase_schema.access import AccessTable, Values

# `rater` holds or judged the task of the row; `mate` rates for the same tenant; `stranger` manages another
# tenant; `admin` is an admin of Tavern, `owner` and `other` are members; these three have no tenant.
ACCESS = """
    table                          role      select  insert  update  delete
    tenants                        anon      no      no      no      no
    tenants                        manager   yes     no      yes     no
    tenants                        rater     yes     no      no      no
    tenants                        mate      yes     no      no      no
    tenants                        stranger  no      no      no      no
    tenants                        admin     no      no      no      no
    tenants                        other     no      no      no      no
    tenant_invites                 anon      no      no      no      no
    tenant_invites                 manager   yes     yes     yes     yes
    tenant_invites                 rater     no      no      no      no
    tenant_invites                 stranger  no      no      no      no
    tenant_invites                 admin     no      no      no      no
    tenant_invites                 other     no      no      no      no
    rater_profiles                 anon      no      no      no      no
    rater_profiles                 manager   yes     no      no      no
    rater_profiles                 rater     yes     no      yes     no
    rater_profiles                 mate      yes     no      no      no
    rater_profiles                 stranger  no      no      no      no
    rater_profiles                 admin     no      no      no      no
    rater_profiles                 other     no      no      no      no
    rater_profiles.role            manager   -       -       yes     -
    rater_profiles.role            rater     -       -       no      -
    rater_profiles.role            stranger  -       -       no      -
    rater_profiles.tenant_id       manager   -       -       no      -
    rater_profiles.tenant_id       rater     -       -       no      -
    rater_profiles.total_judgments manager   -       -       no      -
    rater_profiles.total_judgments rater     -       -       no      -
    rating_roles                   anon      yes     no      no      no
    rating_roles                   manager   yes     no      no      no
    rating_roles                   rater     yes     no      no      no
    rating_roles                   stranger  yes     no      no      no
    rating_roles                   admin     yes     no      no      no
    rating_roles                   other     yes     no      no      no
    campaigns                      anon      no      no      no      no
    campaigns                      manager   yes     yes     yes     no
    campaigns                      rater     yes     no      no      no
    campaigns                      mate      yes     no      no      no
    campaigns                      stranger  no      no      no      no
    campaigns                      admin     no      no      no      no
    campaigns                      other     no      no      no      no
    campaigns.tenant_id            manager   -       -       no      -
    rating_tasks                   anon      no      no      no      no
    rating_tasks                   manager   yes     no      yes     no
    rating_tasks                   rater     yes     no      no      no
    rating_tasks                   mate      yes     no      no      no
    rating_tasks                   stranger  no      no      no      no
    rating_tasks                   admin     no      no      no      no
    rating_tasks                   other     no      no      no      no
    rating_tasks.judgments_count   manager   -       -       no      -
    rating_tasks.auto_check        manager   -       -       no      -
    rating_tasks.auto_check_status manager   -       -       no      -
    rating_tasks.status            manager   -       -       yes     -
    rating_task_contents           anon      no      no      no      no
    rating_task_contents           manager   yes     no      no      no
    rating_task_contents           rater     yes     no      no      no
    rating_task_contents           mate      no      no      no      no
    rating_task_contents           stranger  no      no      no      no
    rating_task_contents           admin     no      no      no      no
    rating_task_contents           other     no      no      no      no
    rating_task_contents.judged    rater     yes     -       -       -
    rating_task_contents.judged    mate      no      -       -       -
    rating_task_contents.open      manager   yes     -       -       -
    rating_task_contents.open      rater     no      -       -       -
    rating_task_secrets            anon      no      no      no      no
    rating_task_secrets            manager   yes     no      no      no
    rating_task_secrets            rater     no      no      no      no
    rating_task_secrets            mate      no      no      no      no
    rating_task_secrets            stranger  no      no      no      no
    rating_task_secrets            admin     no      no      no      no
    rating_task_secrets            other     no      no      no      no
    rating_task_secrets.judged     rater     no      -       -       -
    task_leases                    anon      no      no      no      no
    task_leases                    manager   yes     no      no      no
    task_leases                    rater     yes     no      no      no
    task_leases                    mate      no      no      no      no
    task_leases                    stranger  no      no      no      no
    task_leases                    admin     no      no      no      no
    task_leases                    other     no      no      no      no
    judgments                      anon      no      no      no      no
    judgments                      manager   yes     no      no      no
    judgments                      rater     yes     no      no      no
    judgments                      mate      no      no      no      no
    judgments                      stranger  no      no      no      no
    judgments                      admin     no      no      no      no
    judgments                      other     no      no      no      no
    candidate_tallies              anon      no      no      no      no
    candidate_tallies              manager   yes     no      no      no
    candidate_tallies              rater     no      no      no      no
    candidate_tallies              stranger  no      no      no      no
    candidate_tallies              admin     no      no      no      no
    candidate_tallies              other     no      no      no      no
"""


ROWS: dict[str, Values] = {
    "tenants": {"id": "{tenant}"},
    "tenant_invites": {"tenant_id": "{tenant}"},
    "rater_profiles": {"user_id": "{rater}"},
    "rating_roles": {"user_id": "{rater}"},
    "campaigns": {"id": "{campaign}"},
    "rating_tasks": {"id": "{claimed}"},
    "rating_task_contents": {"task_id": "{claimed}"},
    "rating_task_contents.judged": {"task_id": "{judged}"},
    "rating_task_contents.open": {"task_id": "{open}"},
    "rating_task_secrets": {"task_id": "{claimed}"},
    "rating_task_secrets.judged": {"task_id": "{judged}"},
    "task_leases": {"task_id": "{claimed}"},
    "judgments": {"task_id": "{judged}"},
    "candidate_tallies": {"campaign_id": "{campaign}", "first": "one"},
}
SETS: dict[str, Values] = {
    "tenants": {"name": "Acme II"},
    "tenant_invites": {"uses_left": 3},
    "rater_profiles": {"name": "Somebody"},
    "rater_profiles.role": {"role": "manager"},
    "rater_profiles.tenant_id": {"tenant_id": "elsewhere"},
    "rater_profiles.total_judgments": {"total_judgments": 1000},
    "rating_roles": {"role": "manager"},
    "campaigns": {"name": "Another name"},
    "campaigns.tenant_id": {"tenant_id": "elsewhere"},
    "rating_tasks": {"priority": 7},
    "rating_tasks.judgments_count": {"judgments_count": 1},
    "rating_tasks.auto_check": {"auto_check": "{}"},
    "rating_tasks.auto_check_status": {"auto_check_status": "passed"},
    "rating_tasks.status": {"status": "withdrawn"},
    "rating_task_contents": {"prompt": "Something else"},
    "rating_task_secrets": {"gold_verdict": "B"},
    "task_leases": {"expires_at": "tomorrow"},
    "judgments": {"verdict": "B"},
    "candidate_tallies": {"first_wins": 100},
}
# `{name}` is the person in whose name the row is: the one who acts, or another.
INSERTS: dict[str, Values] = {
    "tenants": {"id": "evil_corp", "name": "Evil"},
    "tenant_invites": {"tenant_id": "{tenant}"},
    "rater_profiles": {
        "user_id": "{name}",
        "tenant_id": "{tenant}",
        "rater_id": "me",
        "name": "Me",
        "role": "manager",
    },
    "rating_roles": {"user_id": "{name}", "role": "manager"},
    "campaigns": {"tenant_id": "{tenant}", "name": "Mine"},
    "rating_tasks": {"tenant_id": "{tenant}", "campaign_id": "{campaign}", "task_type": "sql"},
    "rating_task_contents": {
        "task_id": "{open}",
        "tenant_id": "{tenant}",
        "prompt": "x",
        "candidate_a": "1",
        "candidate_b": "2",
    },
    "rating_task_secrets": {"task_id": "{open}", "tenant_id": "{tenant}", "name_a": "a", "name_b": "b"},
    "task_leases": {
        "tenant_id": "{tenant}",
        "campaign_id": "{campaign}",
        "task_id": "{open}",
        "user_id": "{name}",
        "rater_id": "me",
        "expires_at": "tomorrow",
    },
    "judgments": {
        "tenant_id": "{tenant}",
        "campaign_id": "{campaign}",
        "task_id": "{open}",
        "user_id": "{name}",
        "rater_id": "me",
        "verdict": "A",
    },
    "candidate_tallies": {"tenant_id": "{tenant}", "campaign_id": "{campaign}", "first": "a", "second": "b"},
}
TABLE = AccessTable(ACCESS, ROWS, SETS, INSERTS)
