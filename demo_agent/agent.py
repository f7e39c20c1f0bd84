"""The demo agent: checks documents one by one, reports progress, and verifies its result."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Final

from demo_agent.checks import Report, check, documents
from publish import Level, RunStatus, TokenSource
from publish.background import Background, Project, Task

NAME: Final = "docs-checker"
PAUSE: Final = timedelta(milliseconds=400)
_LONGEST_PAUSE: Final = 10
"""Seconds."""

BACKGROUND: Final = Background()
"""The threads in which this process runs the agent, whether a page or the HTTP API starts it."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """Which documents to check: those below `root` whose path matches `pattern`.

    `pause` is the wait after each document, so that people can watch.
    """

    root: Path
    pattern: str = "*"
    pause: timedelta = PAUSE


def options_of(root: Path, metadata: Mapping[str, object]) -> CheckOptions:
    """Return the options that a run was started with. Values of the wrong type count as absent."""
    given = metadata.get("options")
    options = given if isinstance(given, Mapping) else {}
    pattern, pause = options.get("pattern"), options.get("pace")
    return CheckOptions(
        root,
        pattern if isinstance(pattern, str) else "*",
        timedelta(seconds=min(max(pause, 0), _LONGEST_PAUSE)) if isinstance(pause, int | float) else PAUSE,
    )


def start(run_id: str, options: CheckOptions, project: Project, token: TokenSource) -> bool:
    """Start a pending run in the background; return False if it is started already, or the process ends."""
    return BACKGROUND.start(run_id, partial(check_documents, options), project, token)


def check_documents(options: CheckOptions, task: Task) -> None:
    """Check the documents and report the end of the run.

    Raises `OSError` or `UnicodeDecodeError` if a document cannot be read.
    """
    _Checker(options, task).run()


class _Checker:
    """One run of the agent."""

    def __init__(self, options: CheckOptions, task: Task) -> None:
        self._options = options
        self._task = task
        self._publisher = task.publisher
        self._seconds = 0.0  # spent on checking, without the pauses

    def run(self) -> None:
        run_id, publisher = self._task.run_id, self._publisher
        publisher.update_progress(run_id, "Looking for documents", 0)
        paths = [path for path in documents(self._options.root) if self._matches(path)]
        publisher.log(run_id, f"{len(paths)} documents in {self._options.root.name}")
        if not paths:
            publisher.fail_run(run_id, "There are no documents to check.")
            return
        reports: dict[str, Report] = {}
        for number, path in enumerate(paths):
            if self._task.should_stop():
                return
            name = self._name(path)
            publisher.update_progress(run_id, f"Checking {name}", 90 * number / len(paths))
            reports[name] = self._check(path, name)
            self._task.pause(self._options.pause)
        self._verify(paths, reports)

    def _check(self, path: Path, name: str) -> Report:
        started = time.perf_counter()
        report = check(path)
        seconds = time.perf_counter() - started
        self._seconds += seconds
        run_id = self._task.run_id
        counts = f"{report.links} links, {report.headings} headings"
        self._publisher.log(run_id, f"{name}: {counts}, {seconds * 1000:.1f} ms")
        for finding in report.findings:
            self._publisher.log(run_id, f"{name}:{finding.line}: {finding.text}", Level.WARNING)
        return report

    def _verify(self, paths: Sequence[Path], reports: dict[str, Report]) -> None:
        """Check everything again and compare. Documents that changed in the meantime have no result."""
        run_id, publisher = self._task.run_id, self._publisher
        if self._task.should_stop():
            return
        publisher.update_status(run_id, RunStatus.AWAITING_VERIFICATION, "Waiting for verification")
        self._task.pause(self._options.pause)
        if self._task.should_stop():
            return
        publisher.update_status(run_id, RunStatus.VERIFICATION_IN_PROGRESS, "Checking again")
        again = {self._name(path): check(path) for path in paths}
        changed = sorted(name for name in reports if again.get(name) != reports[name])
        evidence = {"check": "a second reading", "documents": len(again), "changed": changed}
        if changed:
            publisher.update_status(run_id, RunStatus.VERIFICATION_FAILED, evidence=evidence)
            publisher.update_status(
                run_id, RunStatus.ESCALATED_TO_HUMAN, "The documents changed during the check"
            )
            return
        publisher.update_status(run_id, RunStatus.VERIFICATION_PASSED, evidence=evidence)
        publisher.complete_run(run_id, self._result(reports.values()))

    def _result(self, reports: Collection[Report]) -> dict[str, object]:
        return {
            "documents": len(reports),
            "links": sum(report.links for report in reports),
            "findings": sum(len(report.findings) for report in reports),
            "seconds": round(self._seconds, 4),
        }

    def _matches(self, path: Path) -> bool:
        return fnmatchcase(self._name(path), self._options.pattern)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._options.root).as_posix()
