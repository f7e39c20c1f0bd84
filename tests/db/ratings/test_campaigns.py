"""Adding tasks: those that the database takes, whatever is wrong with others."""

import json
import uuid
from dataclasses import replace

from db.auth.accounts import SignedIn
from db.ratings import campaigns, tenants
from db.ratings.drafts import CampaignDraft, TaskDraft
from db.ratings.models import CampaignStatus
from tests.db.conftest import SignUp
from ui.ratings import import_tasks
from ui.ratings.task_limits import LONGEST


def campaign_of(manager: SignedIn) -> str:
    """Create a tenant and a campaign in it."""
    tenant, campaign_id = f"t_{uuid.uuid4().hex[:12]}", str(uuid.uuid4())
    tenants.create(manager, tenant, "Imports")
    campaigns.create(manager, campaign_id, tenant, CampaignDraft("C", status=CampaignStatus.ACTIVE))
    return campaign_id


def draft(prompt: str) -> TaskDraft:
    """Return a task."""
    return TaskDraft(str(uuid.uuid4()), "chat", prompt, "a", "b", "one", "two")


def test_refused_tasks_are_found_and_the_others_are_added(sign_up: SignUp) -> None:
    manager = sign_up("Manager")
    campaign_id = campaign_of(manager)
    drafts = [draft(f"{number}") for number in range(9)]
    drafts[2] = replace(drafts[2], candidate_a="\x00")
    drafts[7] = replace(drafts[7], task_type="No Word")
    added = campaigns.add_good_tasks(manager, campaign_id, drafts)
    good = {one.id for number, one in enumerate(drafts) if number not in (2, 7)}
    assert {str(record["id"]) for record in added.records} == good
    assert [one.id for one, _ in added.refused] == [drafts[2].id, drafts[7].id]
    assert str(added.refused[1][1]) == "A task type has 1 to 60 small letters, digits and underscores."


def test_tasks_of_earlier_imports_are_known(sign_up: SignUp) -> None:
    manager, stranger = sign_up("Manager"), sign_up("Stranger")
    campaign_id = campaign_of(manager)
    first = [replace(draft("one"), external_id="1"), draft("two"), replace(draft("three"), external_id="3")]
    assert campaigns.known_tasks(manager, campaign_id, first) == {}
    campaigns.add_tasks(manager, campaign_id, first)
    again = [first[1], replace(draft("new"), external_id="3"), replace(draft("other"), external_id="4")]
    assert campaigns.known_tasks(manager, campaign_id, again) == {
        again[0].id: "This task is in the campaign already.",
        again[1].id: "The external_id '3' is that of a task in the campaign already.",
    }
    assert campaigns.known_tasks(manager, str(uuid.uuid4()), again) == {}
    assert campaigns.known_tasks(stranger, campaign_id, again) == {}


def test_a_large_file_is_sent_in_requests_that_a_gateway_takes(sign_up: SignUp) -> None:
    manager = sign_up("Manager")
    drafts = [replace(draft(f"{number}"), candidate_a="x" * 190_000) for number in range(25)]
    added = campaigns.add_good_tasks(manager, campaign_of(manager), drafts)
    assert len(added.records) == 25


def test_the_database_takes_everything_that_an_import_takes(sign_up: SignUp) -> None:
    manager = sign_up("Manager")
    campaign_id = campaign_of(manager)
    row = {
        "task_type": "a" + "_9" * 29,
        "candidate_a": "HERE",
        "candidate_b": {
            "ü": ["\U0001f600" * 1000, 1e300, -1e300, 1e-300, None, True, 10**300, "\x01\x7f\ufffe"]
        },
        **{name: "Ǆ" * longest for name, longest in LONGEST.items()},
        "name_b": "Ǆ",
        "priority": 1000,
        "gold_verdict": "both_bad",
    }
    deepest = json.dumps(row).replace('"HERE"', "[" * 99 + "1" + "]" * 99)
    largest = json.dumps(
        row | {"external_id": "another", "candidate_a": ["x" * 99_997, "é" * 49_997]}, ensure_ascii=False
    )
    found = import_tasks.parse(f"{deepest}\n{largest}", campaign_id, ())
    assert found.problems == ()
    added = campaigns.add_good_tasks(manager, campaign_id, found.tasks)
    assert (len(added.records), added.refused) == (2, [])
