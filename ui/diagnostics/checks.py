"""The judgments of the page Diagnostics: for each fact whether it is as it should be, and the remedy if not.

All functions are pure; `probes` gathers the facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from livetables.counts import Counted
from livetables.feed.status import FeedState, FeedStatus
from ui.base import times
from ui.base.text import plural

SLOW = timedelta(seconds=2)
"""People notice when an answer or a change takes longer."""
SKEWED = timedelta(seconds=5)
"""People notice when two clocks differ by more."""
BROKEN_CLOCK = timedelta(minutes=1)
"""When clocks differ by more, tokens are refused as expired or as not valid yet."""

PUSH = (
    "Apply the migrations: run `supabase db push` (the embedded Supabase applies them when the app starts)."
)


class Level(StrEnum):
    """The outcome of a check. The value is what the page shows."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it. `remedy` is empty when there is nothing to do."""

    level: Level
    found: str
    remedy: str = ""


def answered(who: str, took: timedelta) -> Finding:
    """Judge an answer by how long it took."""
    found = f"{who} in {_duration(took)}."
    if took > SLOW:
        return Finding(
            Level.WARNING,
            found,
            "Slow. Check the network between this server and the project, and the project's region and load.",
        )
    return Finding(Level.OK, found)


def failed(error: Exception, remedy: str) -> Finding:
    """Judge a request that failed."""
    return Finding(Level.FAILED, str(error) or type(error).__name__, remedy)


def timed_out(seconds: float) -> Finding:
    """Judge a check that did not answer within its timeout."""
    return Finding(
        Level.FAILED,
        f"No answer within {seconds:g} seconds.",
        "Check that the project is running (a hosted one may be paused) and that no firewall is in between.",
    )


def publication(tables: Collection[str], published: Collection[str]) -> Finding:
    """Judge whether every table that is shown live is in Realtime's publication."""
    missing = sorted(set(tables) - set(published))
    if not missing:
        return Finding(Level.OK, f"All {plural(len(tables), 'table')} are in supabase_realtime.")
    added = ", ".join(f"public.{name}" for name in missing)
    return Finding(
        Level.FAILED,
        f"Not in supabase_realtime: {', '.join(missing)}. Their changes arrive up to 30 s late.",
        f"Run `alter publication supabase_realtime add table {added};` in the SQL editor.",
    )


def policies(tables: Collection[str], refused: Mapping[str, Exception]) -> Finding:
    """Judge whether row level security lets this person select every table."""
    if not refused:
        return Finding(Level.OK, f"You may select all {plural(len(tables), 'table')}.")
    reasons = "; ".join(f"{name}: {error}" for name, error in sorted(refused.items()))
    return Finding(
        Level.FAILED,
        f"Not readable: {reasons}",
        f"{PUSH} Policies and grants are part of them; restore any that was changed by hand.",
    )


def clock(whose: str, ahead: timedelta, uncertain: timedelta) -> Finding:
    """Judge a clock that is `ahead` of this server's, measured to within `uncertain`."""
    least = max(abs(ahead) - uncertain, timedelta(0))
    where = "ahead of" if ahead > timedelta(0) else "behind"
    if least <= max(uncertain, timedelta(milliseconds=500)):
        return Finding(Level.OK, f"{whose} and this server agree to within {_duration(uncertain)}.")
    found = f"{whose} is {_duration(abs(ahead))} {where} this server, give or take {_duration(uncertain)}."
    if least <= SKEWED:
        return Finding(Level.OK, found)
    remedy = "Switch on time synchronization (NTP) on the machine whose clock is wrong."
    if least <= BROKEN_CLOCK:
        return Finding(Level.WARNING, found, f"{remedy} Until then, ages such as “3 s ago” are wrong.")
    return Finding(Level.FAILED, found, f"{remedy} Sign-ins may be refused as expired, or as not valid yet.")


def libraries(versions: Mapping[str, str], wakes: bool) -> Finding:
    """Judge the installed libraries."""
    found = ", ".join(f"{name} {version}" for name, version in versions.items()) + "."
    if wakes:
        return Finding(Level.OK, found)
    return Finding(
        Level.WARNING,
        f"{found} This version of Streamlit cannot be woken, so pages poll for changes every second.",
        "Install the version of Streamlit that requirements.txt pins.",
    )


def migrations(here: Collection[str], applied: Collection[str] | None) -> Finding:
    """Judge the schema: the migrations of this version of the app against those of the database."""
    newest = max(here, default="none")
    if applied is None:
        return Finding(
            Level.WARNING,
            f"The database keeps no list of migrations; the newest here is {newest}.",
            "Somebody ran them by hand. `supabase migration repair` creates the list.",
        )
    missing = sorted(set(here) - set(applied))
    if missing:
        return Finding(Level.FAILED, f"Not applied: {', '.join(missing)}.", PUSH)
    unknown = sorted(set(applied) - set(here))
    if unknown:
        return Finding(
            Level.WARNING,
            f"The database has migrations that this app does not know: {', '.join(unknown)}.",
            "The database is newer than the app. Update the app, or ignore this if they are your own.",
        )
    return Finding(Level.OK, f"All {plural(len(applied), 'migration')} are applied, the newest is {newest}.")


def feed(status: FeedStatus, now: datetime) -> Finding:
    """Judge the connection of the admin's own tab at this moment."""
    seen = (
        "no change seen yet"
        if status.last_lag is None
        else f"the last change took {_duration(max(status.last_lag, timedelta(0)))}"
    )
    repaired = f"{plural(status.repaired, 'change')} repaired" if status.repaired else "nothing repaired"
    found = f"{status.state.value} (began {times.ago(status.since, now)}); {seen}; {repaired}."
    if status.state is FeedState.OFFLINE:
        return Finding(
            Level.FAILED,
            found,
            "The checks above say what is wrong. Tavern reconnects by itself, and never gives up.",
        )
    if status.missing:
        missing = "; ".join(" ".join(text.split()) for text in status.missing)
        return Finding(Level.FAILED, f"{found} Missing: {missing}", PUSH)
    if status.state is not FeedState.LIVE:
        return Finding(
            Level.WARNING,
            found,
            "If this stays, look at the live connection above. The reason is in the server's log.",
        )
    if status.last_lag is not None and status.last_lag > SLOW:
        return Finding(
            Level.WARNING,
            found,
            "Changes arrive late. Look at the clocks above, and at the project's region and load.",
        )
    return Finding(Level.OK, found)


def load(sessions: Mapping[str, str | None], feeds: Collection[str | None]) -> Finding:
    """Count the tabs that this process serves, and the feeds that it keeps open for them."""
    people = {user for user in sessions.values() if user is not None}
    visitors = sum(1 for user in sessions.values() if user is None)
    private = [user for user in feeds if user is not None]
    persons = plural(len(people), "signed-in person", "signed-in people")
    return Finding(
        Level.OK,
        f"{plural(len(sessions), 'open session')} of {persons} and {plural(visitors, 'visitor')}; "
        f"1 public feed and {plural(len(private), 'private feed')}.",
    )


def deliveries(counted: Counted) -> Finding:
    """Tell how this process has delivered what others changed, since it started."""
    lag = f", on average {_duration(counted.lag / counted.timed)} after the commit" if counted.timed else ""
    return Finding(
        Level.OK,
        f"{plural(counted.changes, 'change')} arrived{lag}. For them there were "
        f"{plural(counted.pushes, 'push', 'pushes')} and {plural(counted.reruns, 'rerun')}.",
    )


def faults(counts: Mapping[str, int]) -> Finding:
    """Judge the faults that background work has survived in this process."""
    if not counts:
        return Finding(Level.OK, "None in this process.")
    listed = ", ".join(f"{place} ({count:,})" for place, count in sorted(counts.items()))
    return Finding(
        Level.WARNING,
        f"Survived, and counted: {listed}.",
        "The log of the server has the first of each kind with its traceback. "
        "A row that cannot be read is left out of the page until it is mended.",
    )


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level of all findings."""
    levels = [finding.level for finding in findings]
    for level in (Level.FAILED, Level.WARNING):
        if level in levels:
            return level
    return Level.OK


def _duration(length: timedelta) -> str:
    milliseconds = round(length.total_seconds() * 1000)
    if milliseconds < 2000:
        return f"{milliseconds} ms"
    if milliseconds < 120_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{round(milliseconds / 60_000)} minutes"
