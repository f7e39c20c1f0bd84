"""The ranking of raters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from db.ratings.models import RaterProfile, RatingRole
from ui.ratings.leaderboard import chart, labels, raters_html, standings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def rater(name: str, total: int, **values: object) -> RaterProfile:
    known: dict[str, object] = {
        "user_id": name, "tenant_id": "t", "rater_id": name, "name": name, "role": "rater", "brand_id": None,
        "active": True, "total_judgments": total, "compared": 0, "agreed": 0, "gold_total": 0,
        "gold_correct": 0, "streak": 3, "best_streak": 5, "last_judged_on": "2026-11-20", "version": 1,
        "created_at": NOW.isoformat(), "updated_at": NOW.isoformat(),
    }  # fmt: skip
    return RaterProfile.from_record({**known, **values})


def test_raters_with_the_same_number_of_judgments_share_a_place() -> None:
    people = [
        rater("cy", 5), rater("ada", 9), rater("mei", 5, compared=4, agreed=3), rater("finn", 1),
        rater("bo", 50, role=RatingRole.MANAGER.value), rater("gone", 70, active=False),
    ]  # fmt: skip
    ranked = [(one.place, one.profile.name) for one in standings(people)]
    assert ranked == [(1, "ada"), (2, "mei"), (2, "cy"), (4, "finn")]


def test_raters_of_one_place_are_sorted_by_name() -> None:
    people = [rater("Zoe", 5), rater("Émile", 5), rater("Eva", 5)]
    assert [one.profile.name for one in standings(people)] == ["Émile", "Eva", "Zoe"]


def test_a_streak_ends_with_a_day_without_a_judgment_and_names_are_text() -> None:
    ranked = standings([rater("<img>", 2)])
    shown = [raters_html(ranked, "<img>", date(2026, 11, 20) + timedelta(days=days)) for days in (0, 1, 2)]
    assert ["3 🔥" in each for each in shown] == [True, True, False]
    assert "<img>" not in shown[0]
    assert 'class="mine"' in shown[0]


def test_raters_of_one_name_are_told_apart_by_their_ids() -> None:
    ranked = standings([rater("Ada", 3, rater_id="r1"), rater("Ada", 2, rater_id="r2"), rater("Bo", 1)])
    assert labels(ranked) == ["Ada r1", "Ada r2", "Bo"]


def test_the_chart_has_a_bar_for_each_rater_who_has_judged_and_an_axis_that_says_what() -> None:
    data, spec = chart(standings([rater("<i>", 3), rater("Bo", 1), rater("Cy", 0)]))
    assert data == [{"rater": "<i>", "judgments": 3}, {"rater": "Bo", "judgments": 1}]
    assert "<i>" not in str(spec)
    assert spec["encoding"]["x"]["title"] == "Judgments"  # type: ignore[index]  # a specification
    many, higher = chart(standings([rater(f"r{number}", 1 + number) for number in range(50)]))
    assert [many[0]["rater"], len(many)] == ["r49", 20]
    assert int(str(higher["height"])) > int(str(spec["height"]))
