"""Hand the test files to the test processes: at most two of them drive browsers at the same time.

Browser tests leave the processor idle for a good part of their time, so a third process beside two costs
them little. A third browser would cost more: on two cores, two of them wait for one another already.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

BROWSER_TESTS = "tests/browser/"
BROWSER_PROCESSES = 2


class FewBrowsers(LoadFileScheduling):  # type: ignore[misc]  # xdist has no annotations
    """Start the browser tests in the first two processes, and the other tests in the others.

    A process that finds no more files of its own kind takes those of the other kind.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        self._move_to_front(browser_tests=node in self.nodes[:BROWSER_PROCESSES])
        super()._assign_work_unit(node)

    def _move_to_front(self, *, browser_tests: bool) -> None:
        files = (file for file in self.workqueue if file.startswith(BROWSER_TESTS) == browser_tests)
        if (file := next(files, None)) is not None:
            self.workqueue.move_to_end(file, last=False)


def scheduler(config: pytest.Config, log: Producer) -> FewBrowsers | None:
    """Return the scheduler for a run that keeps each file in one process, as `make test` does."""
    return FewBrowsers(config, log) if config.getvalue("dist") == "loadfile" else None
