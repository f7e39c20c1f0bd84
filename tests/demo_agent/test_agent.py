"""The demo agent at work, against the real stack."""

from datetime import timedelta
from pathlib import Path

from demo_agent import agent
from publish import RunStatus, SyncAgentEventPublisher
from tests.publish.conftest import Bench, bench

__all__ = ["bench"]  # a fixture


def begin(bench: Bench, root: Path, pace: timedelta = timedelta(0)) -> str:
    """Make a run that waits, let the agent do it, and return its id when it is over."""
    with SyncAgentEventPublisher(bench.proxy.url, bench.key, bench.token) as publisher:
        run = publisher.start_run(agent_name=agent.NAME, status=RunStatus.PENDING)
    errand = agent.Errand(root, pace=pace)
    assert agent.start(agent.Job(run, errand), bench.proxy.url, bench.key, bench.token)
    assert agent.BACKGROUND.wait(run, timedelta(seconds=60))
    return run


def test_it_checks_documents_and_has_itself_verified(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Hello\n\n[gone](nowhere.md)\n", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "more.md").write_text("# More\n\n[back](../README.md)\n", encoding="utf-8")
    run = begin(bench, tmp_path)
    row = bench.run(run)
    assert (row["status"], row["result"]) == ("completed", {"documents": 2, "links": 2, "findings": 1})
    assert row["verification_evidence"] == [{"check": "a second reading", "documents": 2, "changed": []}]
    assert "README.md:3: the link to nowhere.md leads nowhere" in bench.log(run)
    steps = [step["message"] for step in bench.events(run, "step")]
    assert steps[:3] == ["Looking for documents", "Checking README.md", "Checking docs/more.md"]


def test_what_it_cannot_read_fails_the_run(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"\xff\xfe\xff")
    row = bench.run(begin(bench, tmp_path))
    assert row["status"] == "failed"
    assert "UnicodeDecodeError" in str(row["error"])


def test_a_folder_without_documents_fails_the_run(bench: Bench, tmp_path: Path) -> None:
    row = bench.run(begin(bench, tmp_path))
    assert (row["status"], row["error"]) == ("failed", "There are no documents to check.")


def test_it_takes_the_options_that_make_sense(tmp_path: Path) -> None:
    docs = {"options": {"pattern": "docs/*", "pace": 2.5}}
    assert agent.errand_of(tmp_path, docs) == agent.Errand(tmp_path, "docs/*", timedelta(seconds=2.5))
    plain = agent.Errand(tmp_path)
    for metadata in ({}, {"options": None}, {"options": ["x"]}, {"options": {"pattern": 1, "pace": "fast"}}):
        assert agent.errand_of(tmp_path, metadata) == plain
