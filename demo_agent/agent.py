"""The demo agent: checks documents one by one, says what it does, and has its own counting verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Final

from demo_agent.checks import Report, check, documents
from publish import Level, RunStatus, TokenSource
from publish.background import Background, Project, Task

NAME: Final = "docs-checker"
PACE: Final = timedelta(milliseconds=400)
# No model is asked: what reading the documents would come to, at a usual rate.
_TOKENS_A_BYTE: Final = 0.25
_COST_A_TOKEN: Final = Decimal("0.0000002")

BACKGROUND: Final = Background()
"""Where this process works on its runs, whoever started them: a page, or the HTTP API."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Which documents: those of `root` whose path fits. `pace` is its rest after each, so one can watch."""

    root: Path
    pattern: str = "*"
    pace: timedelta = PACE


@dataclass(frozen=True, slots=True)
class Job:
    """Which run, of which documents."""

    run_id: str
    errand: Errand


def errand_of(root: Path, metadata: Mapping[str, object]) -> Errand:
    """Return what a run is to do: with the options it was started with, as far as they make sense."""
    options = metadata.get("options")
    told = options if isinstance(options, Mapping) else {}
    pattern, pace = told.get("pattern"), told.get("pace")
    return Errand(
        root,
        pattern if isinstance(pattern, str) else "*",
        timedelta(seconds=min(max(pace, 0), 10)) if isinstance(pace, int | float) else PACE,
    )


def start(job: Job, url: str, key: str, token: TokenSource) -> bool:
    """Do the job in the background; False when it is begun already, or the process ends."""
    work = partial(check_documents, job.errand)
    return BACKGROUND.start(job.run_id, work, Project(url, key), token)


def check_documents(errand: Errand, task: Task) -> None:
    """Do the errand, and say how it ended. Raises what keeps a document from being read."""
    _Checker(errand, task).run()


class _Checker:
    """One run."""

    def __init__(self, errand: Errand, task: Task) -> None:
        self._errand = errand
        self._task = task
        self._publisher = task.publisher
        self._tokens = 0

    def run(self) -> None:
        run_id, publisher = self._task.run_id, self._publisher
        publisher.update_progress(run_id, "Looking for documents", 0)
        paths = [path for path in documents(self._errand.root) if self._wanted(path)]
        publisher.log(run_id, f"{len(paths)} documents in {self._errand.root.name}")
        if not paths:
            publisher.fail_run(run_id, "There are no documents to check.")
            return
        reports: dict[str, Report] = {}
        for number, path in enumerate(paths):
            if self._task.over():
                return
            name = self._name(path)
            publisher.update_progress(run_id, f"Checking {name}", 90 * number / len(paths))
            reports[name] = self._check(path, name)
            self._task.rest(self._errand.pace)
        self._verify(paths, reports)

    def _check(self, path: Path, name: str) -> Report:
        report = check(path)
        self._tokens += int(path.stat().st_size * _TOKENS_A_BYTE)
        run_id = self._task.run_id
        self._publisher.update_progress(run_id, tokens=self._tokens, cost_usd=self._tokens * _COST_A_TOKEN)
        self._publisher.log(run_id, f"{name}: {report.links} links, {report.headings} headings")
        for finding in report.findings:
            self._publisher.log(run_id, f"{name}:{finding.line}: {finding.text}", Level.WARNING)
        return report

    def _verify(self, paths: Sequence[Path], reports: dict[str, Report]) -> None:
        """Check everything again and compare: documents that change meanwhile give no result."""
        run_id, publisher = self._task.run_id, self._publisher
        if self._task.over():
            return
        publisher.update_status(run_id, RunStatus.AWAITING_VERIFICATION, "Waiting for verification")
        self._task.rest(self._errand.pace)
        if self._task.over():
            return
        publisher.update_status(run_id, RunStatus.VERIFICATION_IN_PROGRESS, "Checking again")
        again = {self._name(path): check(path) for path in paths}
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

    def _wanted(self, path: Path) -> bool:
        return fnmatchcase(self._name(path), self._errand.pattern)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._errand.root).as_posix()
