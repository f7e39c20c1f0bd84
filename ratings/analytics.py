"""The results of a campaign: its judgments, the agreement of its raters, the ranking of its candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.ratings.models import RaterProfile
from db.ratings.task_models import Judgment, TaskSecret, Verdict
from ratings import records
from ratings.agreement import Agreement, GoldScore, Vote, agreement, gold_scores
from ratings.counts import COUNTED
from ratings.database import Database
from ratings.ranking import Comparison, Ranking, ranking, tally
from ratings.tables import JudgmentRow, RaterRow, SecretRow


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A judgment that was not undone, with the names of its candidates."""

    judgment: Judgment
    secret: TaskSecret

    @property
    def rater_id(self) -> str:
        """The tenant's id of the rater."""
        return self.judgment.rater_id


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a campaign at one moment."""

    judged: Sequence[JudgedPair]
    agreement: Agreement
    gold: Mapping[str, GoldScore]
    ranking: Ranking
    """Without gold tasks, because their right verdict was known before."""


class Analytics:
    """Reads whole campaigns from the database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def judged(self, campaign_id: str) -> Sequence[JudgedPair]:
        """Return the judgments of a campaign that were not undone, oldest first."""

        def work(session: Session) -> Sequence[JudgedPair]:
            rows = session.execute(
                select(JudgmentRow, SecretRow)
                .join(SecretRow, SecretRow.task_id == JudgmentRow.task_id)
                .where(JudgmentRow.campaign_id == campaign_id, COUNTED)
                .order_by(JudgmentRow.judged_at, JudgmentRow.id)
            )
            return [JudgedPair(records.judgment(row), records.secret(secret)) for row, secret in rows]

        return self._database.read(work)

    def results(self, campaign_id: str) -> Results:
        """Return the agreement, the gold scores and the ranking of the candidates of a campaign."""
        judged = self.judged(campaign_id)
        votes = [Vote(one.judgment.task_id, one.rater_id, one.judgment.verdict) for one in judged]
        gold: dict[str, Verdict] = {
            one.secret.task_id: one.secret.gold_verdict for one in judged if one.secret.gold_verdict
        }
        comparisons = [
            Comparison(one.secret.name_a, one.secret.name_b, one.judgment.verdict)
            for one in judged
            if one.secret.gold_verdict is None
        ]
        return Results(judged, agreement(votes), gold_scores(votes, gold), ranking(tally(comparisons)))

    def leaderboard(self, tenant_id: str) -> Sequence[RaterProfile]:
        """Return the active raters of a tenant, those with the most judgments first."""

        def work(session: Session) -> Sequence[RaterProfile]:
            rows = session.scalars(
                select(RaterRow)
                .where(RaterRow.tenant_id == tenant_id, RaterRow.active)
                .order_by(RaterRow.total_judgments.desc(), RaterRow.agreed.desc(), RaterRow.rater_id)
            )
            return [records.rater(row) for row in rows]

        return self._database.read(work)
