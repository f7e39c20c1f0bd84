"""The demo agent at work, against the real stack."""

import re
from datetime import timedelta
from pathlib import Path

from demo_agent import agent
from publish import RunStatus, SyncAgentEventPublisher
from publish.background import Project
from tests.publish.conftest import Bench, bench

__all__ = ["bench"]  # a fixture


def begin(bench: Bench, root: Path, pause: timedelta = timedelta(0)) -> str:
    """Make a pending run, let the agent do it, and return its id after its end."""
    with SyncAgentEventPublisher(bench.proxy.url, bench.key, bench.token) as publisher:
        run = publisher.start_run(agent_name=agent.NAME, status=RunStatus.PENDING)
    options = agent.CheckOptions(root, pause=pause)
    assert agent.start(run, options, Project(bench.proxy.url, bench.key), bench.token)
    assert agent.BACKGROUND.wait(run, timedelta(seconds=60))
    return run


def test_it_checks_documents_and_verifies_the_result(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Hello\n\n[gone](nowhere.md)\n", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "more.md").write_text("# More\n\n[back](../README.md)\n", encoding="utf-8")
    run = begin(bench, tmp_path)
    row = bench.run(run)
    result = row["result"]
    assert isinstance(result, dict)
    assert 0 < result.pop("seconds") < 60
    assert (row["status"], result) == ("completed", {"documents": 2, "links": 2, "findings": 1})
    assert row["verification_evidence"] == [{"check": "a second reading", "documents": 2, "changed": []}]
    assert "README.md:3: the link to nowhere.md leads nowhere" in bench.log(run)
    steps = [step["message"] for step in bench.events(run, "step")]
    assert steps[:3] == ["Looking for documents", "Checking README.md", "Checking docs/more.md"]


def test_it_publishes_no_tokens_and_no_cost_since_it_asks_no_model(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Hello\n" * 1_000, encoding="utf-8")
    run = begin(bench, tmp_path)
    row = bench.run(run)
    assert (row["status"], row["tokens"], row["cost_usd"]) == ("completed", 0, 0)
    assert re.search(r"README\.md: 0 links, 1000 headings, [0-9.]+ ms", "\n".join(bench.log(run)))


def test_an_unreadable_document_fails_the_run(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"\xff\xfe\xff")
    row = bench.run(begin(bench, tmp_path))
    assert row["status"] == "failed"
    assert "UnicodeDecodeError" in str(row["error"])


def test_a_folder_without_documents_fails_the_run(bench: Bench, tmp_path: Path) -> None:
    row = bench.run(begin(bench, tmp_path))
    assert (row["status"], row["error"]) == ("failed", "There are no documents to check.")


def test_options_of_the_wrong_type_count_as_absent(tmp_path: Path) -> None:
    docs = {"options": {"pattern": "docs/*", "pace": 2.5}}
    assert agent.options_of(tmp_path, docs) == agent.CheckOptions(tmp_path, "docs/*", timedelta(seconds=2.5))
    defaults = agent.CheckOptions(tmp_path)
    for metadata in ({}, {"options": None}, {"options": ["x"]}, {"options": {"pattern": 1, "pace": "fast"}}):
        assert agent.options_of(tmp_path, metadata) == defaults
