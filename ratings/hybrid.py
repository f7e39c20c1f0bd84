"""The rating core with Supabase: the queue in any database, and live events if there is a Supabase.

```python
app = HybridRaterApp(init_db(os.environ["DATABASE_URL"]), init_supabase(supabase_settings(os.environ)))
claim = app.assign_task(campaign_id, "rater_001")
judgment = app.submit_judgment(claim.task.id, "rater_001", Verdict.A)
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from supabase_auth.errors import AuthError

from db.ratings.models import RaterProfile
from db.ratings.task_models import (
    Claim,
    Judgment,
    RatingTask,
    TaskLease,
    Verdict,
)
from ratings.analytics import Analytics
from ratings.bridge import SupabaseBridge
from ratings.campaigns import CampaignStore
from ratings.database import Database
from ratings.events import Event
from ratings.listening import Listening
from ratings.store import RatingStore
from ratings.watching import POLLING, Subscription, Watch


@dataclass(frozen=True, slots=True)
class _LiveWatch:
    """A watch, and the live connection that wakes it."""

    watch: Watch[RatingTask] | Watch[RaterProfile]
    listening: Listening

    def close(self) -> None:
        """End both."""
        self.listening.close()
        self.watch.close()


class _NewTasks:
    """Finds all tasks that are new since the last call, however many they are."""

    def __init__(self, campaigns: CampaignStore, tenant_id: str) -> None:
        self._campaigns = campaigns
        self._tenant_id = tenant_id
        self._known = set(campaigns.task_ids(tenant_id))

    def __call__(self) -> Mapping[str, RatingTask]:
        found: dict[str, RatingTask] = {}
        page = self._campaigns.tasks(self._tenant_id)
        # A task may be older than known ones, because its transaction committed late. So this reads on until
        # a whole page is known.
        while fresh := [task for task in page if task.id not in self._known]:
            found.update((task.id, task) for task in fresh)
            page = self._campaigns.tasks(self._tenant_id, before=page[-1])
        self._known.update(found)
        return found


class HybridRaterApp:
    """The rating core as programs use it. `polling` is in seconds.

    Methods raise `RatingError`, and SQLAlchemy's errors if the database is unreachable. An unreachable
    Supabase delays events and nothing else.
    """

    def __init__(self, database: Database, supabase: SupabaseBridge, *, polling: float = POLLING) -> None:
        self.database: Final = database
        self.supabase: Final = supabase
        self.campaigns: Final = CampaignStore(database, self._announce)
        self.store: Final = RatingStore(database, self._announce)
        self.analytics: Final = Analytics(database)
        self._polling = polling

    @property
    def tables_are_live(self) -> bool:
        """Whether the queue is in the Supabase Postgres itself, where Realtime streams every change."""
        return self.database.kept_by_triggers

    def assign_task(self, campaign_id: str, rater_id: str) -> Claim | None:
        """Lease the next task to the rater; None if there is none for them now. See `RatingStore.claim`."""
        return self.store.claim(campaign_id, rater_id)

    def submit_judgment(
        self, task_id: str, rater_id: str, verdict: Verdict, comment: str = "", seconds: float | None = None
    ) -> Judgment:
        """Record the rater's verdict. `seconds` is the time they took. See `RatingStore.submit`."""
        return self.store.submit(task_id, rater_id, verdict, comment, seconds)

    def undo_judgment(self, task_id: str, rater_id: str) -> Claim:
        """Undo the rater's newest verdict. See `RatingStore.undo`."""
        return self.store.undo(task_id, rater_id)

    def skip_task(self, task_id: str, rater_id: str) -> TaskLease:
        """Leave the task to others. See `RatingStore.skip`."""
        return self.store.skip(task_id, rater_id)

    def subscribe_to_tasks(self, tenant_id: str, callback: Callable[[RatingTask], None]) -> Subscription:
        """Call back with each new task of the tenant: at once with Supabase, within `polling` without."""
        fetch = _NewTasks(self.campaigns, tenant_id)
        watch = Watch(fetch, lambda before, _: before is None, callback, polling=self._polling)
        return self._with_live_events(tenant_id, watch)

    def subscribe_to_rater_stats(
        self, tenant_id: str, rater_id: str, callback: Callable[[RaterProfile], None]
    ) -> Subscription:
        """Call back with each change of a rater's counts."""

        def fetch() -> Mapping[str, RaterProfile]:
            board = self.analytics.leaderboard(tenant_id)
            return {one.user_id: one for one in board if one.rater_id == rater_id}

        watch = Watch(fetch, lambda before, after: before != after, callback, polling=self._polling)
        return self._with_live_events(tenant_id, watch)

    def _with_live_events(
        self, tenant_id: str, watch: Watch[RatingTask] | Watch[RaterProfile]
    ) -> Subscription:
        if not self._is_signed_in():
            return watch

        def on_row(_: Mapping[str, object]) -> None:
            watch.wake()

        if self.tables_are_live:
            return _LiveWatch(watch, self.supabase.listen_to_tables(on_row, watch.set_live))
        return _LiveWatch(watch, self.supabase.listen(tenant_id, on_row, watch.set_live))

    def _is_signed_in(self) -> bool:
        try:
            return self.supabase.is_available() and self.supabase.access_token() is not None
        except AuthError:
            return True  # the token cannot be refreshed now; the listener retries

    def _announce(self, event: Event) -> None:
        # Where the tables are live, Realtime has sent the change already.
        if not self.tables_are_live and self.supabase.is_available():
            self.supabase.publish(event)
