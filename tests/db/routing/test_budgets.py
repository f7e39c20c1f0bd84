"""Budgets: set and changed once, though answers are lost."""

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from db.auth.accounts import SignedIn
from db.errors import DuplicateError
from db.routing import budgets
from db.routing.budgets import BudgetDraft
from db.routing.models import Period, RoutingBudget
from tests.db.conftest import SignUp


def test_a_budget_is_set_and_changed_once(lossy_once: SignedIn) -> None:
    key = str(uuid.uuid4())
    draft = BudgetDraft(Period.MONTH, None, Decimal("0.1"), Decimal("2.50"))
    made = RoutingBudget.from_record(budgets.add(lossy_once, key, draft))
    assert (made.hard_limit, made.version) == (Decimal("2.5"), 1)
    changed = budgets.change(lossy_once, key, replace(draft, hard_limit=Decimal(3)), made.version)
    assert RoutingBudget.from_record(changed).version == 2


@pytest.mark.parametrize("provider", [None, "groq"])
def test_the_same_budget_with_another_id_is_the_same(sign_up: SignUp, provider: str | None) -> None:
    me, draft = sign_up("Double"), BudgetDraft(Period.MONTH, provider, Decimal("2.00"), Decimal(3))
    made = budgets.add(me, str(uuid.uuid4()), draft)
    assert budgets.add(me, str(uuid.uuid4()), draft) == made
    with pytest.raises(DuplicateError):
        budgets.add(me, str(uuid.uuid4()), replace(draft, hard_limit=Decimal(4)))
