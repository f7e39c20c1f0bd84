"""The rating core and Supabase together: the queue in whichever database, live where Supabase is there.

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

from db.rating_models import RaterProfile
from db.rating_task_models import Claim, Judgment, RatingTask, TaskLease, Verdict
from ratings.analytics import Analytics
from ratings.bridge import SupabaseBridge
from ratings.campaigns import CampaignStore
from ratings.database import Database
from ratings.events import Event
from ratings.listening import Listening
from ratings.store import RatingStore
from ratings.watching import POLLING, Subscription, Watch


@dataclass(frozen=True, slots=True)
class _Both:
    """A watch, and what makes it look sooner."""

    watch: Watch[RatingTask] | Watch[RaterProfile]
    listening: Listening

    def close(self) -> None:
        """End both."""
        self.listening.close()
        self.watch.close()


class _NewTasks:
    """Looks for the tasks that were not there when it looked before, however many they are."""

    def __init__(self, campaigns: CampaignStore, tenant_id: str) -> None:
        self._campaigns = campaigns
        self._tenant_id = tenant_id
        self._known = set(campaigns.task_ids(tenant_id))

    def __call__(self) -> Mapping[str, RatingTask]:
        found: dict[str, RatingTask] = {}
        page = self._campaigns.tasks(self._tenant_id)
        # A transaction that began early may commit late: on until a whole page is known.
        while fresh := [task for task in page if task.id not in self._known]:
            found.update((task.id, task) for task in fresh)
            page = self._campaigns.tasks(self._tenant_id, before=page[-1])
        self._known.update(found)
        return found


class HybridRaterApp:
    """What a program that has tasks rated works with."""

    def __init__(self, database: Database, supabase: SupabaseBridge, *, polling: float = POLLING) -> None:
        self.database: Final = database
        self.supabase: Final = supabase
        self.campaigns: Final = CampaignStore(database, self._announce)
        self.store: Final = RatingStore(database, self._announce)
        self.analytics: Final = Analytics(database)
        self._polling = polling

    @property
    def tables_are_live(self) -> bool:
        """Whether the queue is in the Supabase Postgres itself, where every change is streamed anyway."""
        return self.database.kept_by_triggers

    def assign_task(self, campaign_id: str, rater_id: str) -> Claim | None:
        """Lease the rater the next task; None when there is none for them now."""
        return self.store.claim(campaign_id, rater_id)

    def submit_judgment(
        self, task_id: str, rater_id: str, verdict: Verdict, comment: str = "", seconds: float | None = None
    ) -> Judgment:
        """Take the rater's verdict."""
        return self.store.submit(task_id, rater_id, verdict, comment, seconds)

    def undo_judgment(self, task_id: str, rater_id: str) -> Claim:
        """Take the rater's newest verdict back."""
        return self.store.undo(task_id, rater_id)

    def skip_task(self, task_id: str, rater_id: str) -> TaskLease:
        """Leave the task to others."""
        return self.store.skip(task_id, rater_id)

    def subscribe_to_tasks(self, tenant_id: str, callback: Callable[[RatingTask], None]) -> Subscription:
        """Tell of each new task of the tenant: at once with Supabase, within two seconds without."""
        look = _NewTasks(self.campaigns, tenant_id)
        watch = Watch(look, lambda before, _: before is None, callback, polling=self._polling)
        return self._hurried(tenant_id, watch)

    def subscribe_to_rater_stats(
        self, tenant_id: str, rater_id: str, callback: Callable[[RaterProfile], None]
    ) -> Subscription:
        """Tell of each change of a rater's counts."""

        def look() -> Mapping[str, RaterProfile]:
            board = self.analytics.leaderboard(tenant_id)
            return {one.user_id: one for one in board if one.rater_id == rater_id}

        watch = Watch(look, lambda before, after: before != after, callback, polling=self._polling)
        return self._hurried(tenant_id, watch)

    def _hurried(self, tenant_id: str, watch: Watch[RatingTask] | Watch[RaterProfile]) -> Subscription:
        if not self._somebody_is_signed_in():
            return watch

        def heard(_: Mapping[str, object]) -> None:
            watch.wake()

        if self.tables_are_live:
            return _Both(watch, self.supabase.listen_to_tables(heard, watch.set_live))
        return _Both(watch, self.supabase.listen(tenant_id, heard, watch.set_live))

    def _somebody_is_signed_in(self) -> bool:
        try:
            return self.supabase.is_available() and self.supabase.access_token() is not None
        except AuthError:
            return True  # whose token cannot be renewed now; who listens tries again

    def _announce(self, event: Event) -> None:
        # Where the tables are live, everybody has it already.
        if not self.tables_are_live and self.supabase.is_available():
            self.supabase.publish(event)
