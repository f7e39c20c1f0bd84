"""The demo agent: checks documents one by one, says what it does, and has its own counting verified."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from demo_agent.checks import Report, check, documents
from publish import Level, PublishError, RunStatus, SyncAgentEventPublisher, TokenSource

NAME: Final = "docs-checker"
# No model is asked: what reading the documents would come to, at a usual rate.
_TOKENS_A_BYTE: Final = 0.25
_COST_A_TOKEN: Final = Decimal("0.0000002")

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Which run, of which documents. `pace` is how long it rests after each, so that one can watch."""

    run_id: str
    root: Path
    pace: timedelta = timedelta(milliseconds=400)


def start(job: Job, url: str, key: str, token: TokenSource) -> threading.Thread:
    """Do the job in a thread of its own."""
    thread = threading.Thread(
        target=_work, args=(job, url, key, token), name=f"{NAME} {job.run_id}", daemon=True
    )
    thread.start()
    return thread


def _work(job: Job, url: str, key: str, token: TokenSource) -> None:
    try:
        with SyncAgentEventPublisher(url, key, token) as publisher:
            publisher.join_run(job.run_id)
            Checker(job, publisher).run()
    except PublishError as error:
        log.warning("A run of %s was not published to its end: %s", NAME, error)


class Checker:
    """One run."""

    def __init__(self, job: Job, publisher: SyncAgentEventPublisher) -> None:
        self._job = job
        self._publisher = publisher
        self._stop = threading.Event()
        self._tokens = 0

    def run(self) -> None:
        """Do it, and say how it ended."""
        try:
            self._run()
        except Exception as error:
            # Whatever it is, the board has to know of it.
            log.exception("The run %s failed", self._job.run_id)
            if not self._over():
                self._publisher.fail_run(self._job.run_id, f"{type(error).__name__}: {error}")

    def _run(self) -> None:
        run_id, publisher = self._job.run_id, self._publisher
        publisher.update_progress(run_id, "Looking for documents", 0)
        paths = documents(self._job.root)
        publisher.log(run_id, f"{len(paths)} documents in {self._job.root.name}")
        if not paths:
            publisher.fail_run(run_id, "There are no documents to check.")
            return
        reports: dict[str, Report] = {}
        for number, path in enumerate(paths):
            if self._over():
                return
            name = path.relative_to(self._job.root).as_posix()
            publisher.update_progress(run_id, f"Checking {name}", 90 * number / len(paths))
            reports[name] = self._check(path, name)
            self._rest()
        self._verify(paths, reports)

    def _check(self, path: Path, name: str) -> Report:
        report = check(path)
        self._tokens += int(path.stat().st_size * _TOKENS_A_BYTE)
        run_id = self._job.run_id
        self._publisher.update_progress(run_id, tokens=self._tokens, cost_usd=self._tokens * _COST_A_TOKEN)
        self._publisher.log(run_id, f"{name}: {report.links} links, {report.headings} headings")
        for finding in report.findings:
            self._publisher.log(run_id, f"{name}:{finding.line}: {finding.text}", Level.WARNING)
        return report

    def _verify(self, paths: Sequence[Path], reports: dict[str, Report]) -> None:
        """Check everything again and compare: documents that change meanwhile give no result."""
        run_id, publisher = self._job.run_id, self._publisher
        if self._over():
            return
        publisher.update_status(run_id, RunStatus.AWAITING_VERIFICATION, "Waiting for verification")
        self._rest()
        if self._over():
            return
        publisher.update_status(run_id, RunStatus.VERIFICATION_IN_PROGRESS, "Checking again")
        again = {path.relative_to(self._job.root).as_posix(): check(path) for path in paths}
        changed = sorted(name for name in reports if again.get(name) != reports[name])
        evidence = {"check": "a second reading", "documents": len(again), "changed": changed}
        if changed:
            publisher.update_status(run_id, RunStatus.VERIFICATION_FAILED, evidence=evidence)
            publisher.update_status(run_id, RunStatus.ESCALATED_TO_HUMAN, "The documents changed meanwhile")
            return
        publisher.update_status(run_id, RunStatus.VERIFICATION_PASSED, evidence=evidence)
        findings = sum(len(report.findings) for report in reports.values())
        links = sum(report.links for report in reports.values())
        publisher.complete_run(run_id, {"documents": len(reports), "links": links, "findings": findings})

    def _over(self) -> bool:
        return self._publisher.is_over(self._job.run_id)

    def _rest(self) -> None:
        self._stop.wait(self._job.pace.total_seconds())
