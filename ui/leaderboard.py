"""The two rankings: of raters by what they did, of candidates by what raters preferred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from db.rating_models import RaterProfile, RatingRole
from ui.text import as_html


@dataclass(frozen=True, slots=True)
class Standing:
    """A rater's place; raters with the same number of judgments share it."""

    place: int
    profile: RaterProfile


def standings(profiles: Iterable[RaterProfile]) -> list[Standing]:
    """Rank who rates: the busiest first, then whoever agrees with others more, then by name."""
    raters = [one for one in profiles if one.active and one.role is RatingRole.RATER]
    raters.sort(
        key=lambda one: (-one.total_judgments, -(one.agreement or 0.0), one.name.lower(), one.rater_id)
    )
    ranked: list[Standing] = []
    for position, profile in enumerate(raters, start=1):
        last = ranked[-1] if ranked else None
        alike = last is not None and last.profile.total_judgments == profile.total_judgments
        ranked.append(Standing(last.place if last is not None and alike else position, profile))
    return ranked


def labels(ranked: Sequence[Standing]) -> list[str]:
    """Name raters where there is room for one word: by the id as well only where names are the same."""
    names = Counter(one.profile.name for one in ranked)
    return [
        one.profile.name if names[one.profile.name] == 1 else f"{one.profile.name} {one.profile.rater_id}"
        for one in ranked
    ]


def raters_html(ranked: Sequence[Standing], me: str | None, today: date) -> str:
    """Show the ranking of raters; one's own row is marked."""
    rows = "".join(_rater(one, me, today) for one in ranked)
    return table_html("Raters", ("Place", "Rater", "Judgments", "Agreement", "Gold", "Streak"), rows)


def table_html(label: str, head: Sequence[str], rows: str, *, ranked: bool = True) -> str:
    """Put rows of HTML under a head; what is `ranked` has its names in the second column."""
    names = "".join(f"<th>{as_html(name)}</th>" for name in head)
    kind = "tv-totals tv-ranking" if ranked else "tv-totals"
    return (
        f'<div class="tv-wide"><table class="{kind}" aria-label="{label}"><thead><tr>{names}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _rater(one: Standing, me: str | None, today: date) -> str:
    profile = one.profile
    mine = ' class="mine"' if profile.user_id == me else ""
    streak = profile.streak_on(today)
    days = f"{streak} 🔥" if streak > 1 else str(streak or "–")
    return (
        f"<tr{mine}><td>{one.place}</td><td><bdi>{as_html(profile.name)}</bdi> "
        f"<small>{as_html(profile.rater_id)}</small></td><td>{profile.total_judgments:,}</td>"
        f"<td>{percent(profile.agreement)}</td><td>{percent(profile.gold_accuracy)}</td>"
        f'<td title="Best: {profile.best_streak}">{days}</td></tr>'
    )


def percent(share: float | None) -> str:
    """Write a share as a percentage."""
    return "–" if share is None else f"{100 * share:.0f} %"
