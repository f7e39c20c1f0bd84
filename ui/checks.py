"""What the Diagnostics page makes of the facts: for each, whether it is as it should be, and its mend if not.

Pure: nothing here asks anybody anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from live.status import FeedState, FeedStatus
from ui import times
from ui.text import plural

SLOW = timedelta(seconds=2)
"""Above this an answer, or the way of a change, is felt."""
SKEWED = timedelta(seconds=5)
"""Above this two clocks tell a person different stories."""
BROKEN_CLOCK = timedelta(minutes=1)
"""Above this tokens are refused as expired, or as not valid yet."""

PUSH = (
    "Apply the migrations: run `supabase db push` (the embedded Supabase applies them when the app starts)."
)


class Level(StrEnum):
    """How a check came out; the value is what a person reads."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it; `mend` is empty when there is nothing to do."""

    level: Level
    found: str
    mend: str = ""


def answered(who: str, took: timedelta) -> Finding:
    """Judge an answer that came."""
    found = f"{who} in {_in_words(took)}."
    if took > SLOW:
        return Finding(
            Level.WARNING,
            found,
            "Slow. Check the network between this server and the project, and the project's region and load.",
        )
    return Finding(Level.OK, found)


def failed(error: Exception, mend: str) -> Finding:
    """Judge an answer that did not come, or was none."""
    return Finding(Level.FAILED, str(error) or type(error).__name__, mend)


def timed_out(seconds: float) -> Finding:
    """Judge a check that did not end."""
    return Finding(
        Level.FAILED,
        f"No answer within {seconds:g} seconds.",
        "Check that the project is running (a hosted one may be paused) and that no firewall is in between.",
    )


def publication(tables: Collection[str], published: Collection[str]) -> Finding:
    """Judge whether Realtime is told of changes of every table that is shown live."""
    missing = sorted(set(tables) - set(published))
    if not missing:
        return Finding(Level.OK, f"All {plural(len(tables), 'table')} are in supabase_realtime.")
    added = ", ".join(f"public.{name}" for name in missing)
    return Finding(
        Level.FAILED,
        f"Not in supabase_realtime: {', '.join(missing)}. Their changes are only seen by catching up.",
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
        f"{PUSH} Policies and grants are part of them; one changed by hand has to be put back.",
    )


def clock(whose: str, ahead: timedelta, uncertain: timedelta) -> Finding:
    """Judge a clock that is so far ahead of this server's, give or take."""
    least = max(abs(ahead) - uncertain, timedelta(0))
    where = "ahead of" if ahead > timedelta(0) else "behind"
    if least <= max(uncertain, timedelta(milliseconds=500)):
        return Finding(Level.OK, f"{whose} and this server agree, to {_in_words(uncertain)}.")
    found = f"{whose} is {_in_words(abs(ahead))} {where} this server, give or take {_in_words(uncertain)}."
    if least <= SKEWED:
        return Finding(Level.OK, found)
    mend = "Switch on time synchronization (NTP) on the machine whose clock is wrong."
    if least <= BROKEN_CLOCK:
        return Finding(Level.WARNING, found, f"{mend} Until then “3 s ago” is not to be trusted.")
    return Finding(Level.FAILED, found, f"{mend} Sign-ins may be refused as expired, or as not valid yet.")


def libraries(versions: Mapping[str, str], wakes: bool) -> Finding:
    """Judge the installed libraries."""
    found = ", ".join(f"{name} {version}" for name, version in versions.items()) + "."
    if wakes:
        return Finding(Level.OK, found)
    return Finding(
        Level.WARNING,
        f"{found} Pages ask for changes every second, as this Streamlit cannot be woken.",
        "Install the version of Streamlit that requirements.txt pins.",
    )


def migrations(here: Collection[str], applied: Collection[str] | None) -> Finding:
    """Judge the schema: what this version of the app brings against what the database has."""
    newest = max(here, default="none")
    if applied is None:
        return Finding(
            Level.WARNING,
            f"The database keeps no list of migrations; the newest here is {newest}.",
            "They were run by hand. `supabase migration repair` makes the list.",
        )
    missing = sorted(set(here) - set(applied))
    if missing:
        return Finding(Level.FAILED, f"Not applied: {', '.join(missing)}.", PUSH)
    unknown = sorted(set(applied) - set(here))
    if unknown:
        return Finding(
            Level.WARNING,
            f"The database has migrations that this app does not know: {', '.join(unknown)}.",
            "The database is newer than the app: update the app, or ignore this if they are yours.",
        )
    return Finding(Level.OK, f"All {plural(len(applied), 'migration')} are applied, the newest is {newest}.")


def feed(status: FeedStatus, now: datetime) -> Finding:
    """Judge how the admin's own tab is connected at this moment."""
    seen = (
        "no change seen yet"
        if status.last_lag is None
        else f"the last change took {_in_words(max(status.last_lag, timedelta(0)))}"
    )
    repaired = f"{plural(status.repaired, 'change')} repaired" if status.repaired else "nothing repaired"
    found = f"{status.state.value}, begun {times.ago(status.since, now)}; {seen}; {repaired}."
    if status.state is FeedState.OFFLINE:
        return Finding(
            Level.FAILED, found, "The checks above tell what is wrong. It reconnects by itself, for ever."
        )
    if status.state is not FeedState.LIVE:
        return Finding(
            Level.WARNING,
            found,
            "If it stays so, look at the live connection above; the server's log has the reason.",
        )
    if status.last_lag is not None and status.last_lag > SLOW:
        return Finding(
            Level.WARNING,
            found,
            "Changes arrive late. Look at the clocks above, and at the project's region and load.",
        )
    return Finding(Level.OK, found)


def load(sessions: Mapping[str, str | None], feeds: Collection[str | None]) -> Finding:
    """Tell how many tabs this process serves, and how many feeds it keeps open for them."""
    people = {user for user in sessions.values() if user is not None}
    visitors = sum(1 for user in sessions.values() if user is None)
    private = [user for user in feeds if user is not None]
    persons = plural(len(people), "signed-in person", "signed-in people")
    return Finding(
        Level.OK,
        f"{plural(len(sessions), 'open session')} of {persons} and {plural(visitors, 'visitor')}; "
        f"1 public feed and {plural(len(private), 'private feed')}.",
    )


def worst(findings: Iterable[Finding]) -> Level:
    """Return how they came out together."""
    levels = [finding.level for finding in findings]
    for level in (Level.FAILED, Level.WARNING):
        if level in levels:
            return level
    return Level.OK


def _in_words(length: timedelta) -> str:
    milliseconds = round(length.total_seconds() * 1000)
    if milliseconds < 2000:
        return f"{milliseconds} ms"
    if milliseconds < 120_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{round(milliseconds / 60_000)} minutes"
