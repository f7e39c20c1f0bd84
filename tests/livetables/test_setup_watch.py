"""What a check finds missing: shown while it is, and asked for again."""

from dataclasses import replace

from livetables.background import running
from livetables.errors import ReadError
from livetables.feed.status import FeedState
from livetables.setup_watch import SetupWatch
from livetables.timing import Timing
from tests.support.wait import wait_until

QUICK = replace(Timing(), setup=0.01, setup_retry=0.01)


def test_what_is_missing_is_shown_and_told_once() -> None:
    told: list[None] = []
    watch = SetupWatch(QUICK, lambda: told.append(None))
    watch.report(["items is not watched"])
    watch.report(["items is not watched"])
    shown = watch.status
    assert shown is not None
    assert (shown.state, shown.missing) == (FeedState.INCOMPLETE, ("items is not watched",))
    assert len(told) == 1
    watch.report([])
    assert watch.status is None
    assert len(told) == 2


async def test_a_check_without_an_answer_says_nothing_and_is_repeated() -> None:
    answers: list[list[str] | ReadError] = [["a"], ReadError("No answer"), ReadError("No answer"), []]
    seen: list[bool] = []

    def check() -> list[str]:
        seen.append(watch.status is not None)
        answer = answers.pop(0) if answers else []
        if isinstance(answer, ReadError):
            raise answer
        return answer

    watch = SetupWatch(QUICK, lambda: None)
    async with running(watch.run(check)) as (task,):
        await wait_until(lambda: len(seen) > 4, what="the checks")
        assert not task.done()
    assert seen[:5] == [False, True, True, True, False]
