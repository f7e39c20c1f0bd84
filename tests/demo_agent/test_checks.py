"""The problems that the demo agent finds in documents."""

from pathlib import Path

import pytest

from demo_agent.checks import check, documents

PROJECT = Path(__file__).resolve().parents[2]


def findings(path: Path, text: str) -> list[tuple[int, str]]:
    """Write a document and check it."""
    path.write_text(text, encoding="utf-8")
    return [(finding.line, finding.text) for finding in check(path).findings]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# One\n\n[two](there.md) and [web](https://x.example)\n", []),
        ("# One\n\n[gone](nowhere.md)\n", [(3, "the link to nowhere.md leads nowhere")]),
        ("# One\n\n[below](#a-heading)\n\n## A heading\n", []),
        ("# One\n\n[below](#other)\n", [(3, "there is no heading for the link to #other")]),
        ("# One\n\n```\n[in code](nowhere.md)\n# No heading\n```\n`[x](nowhere.md)`\n", []),
        ("# One\n\n### Three\n", [(3, "a heading of level 3 follows one of level 1")]),
        ("# One\n\n# Two\n", [(1, "there is more than one title")]),
        ("# One\n\n## Two ##\n\n## Two\n", [(5, "there are two headings 'Two'")]),
        ("# One\n\n[![a](gone.png)](there.md)\n", [(3, "the link to gone.png leads nowhere")]),
        ("# One\n\n## Two\n\n## Two\n", [(5, "there are two headings 'Two'")]),
        ("Only text\n", [(1, "there is no heading")]),
        ("# One\n\nspace \n", [(3, "there are spaces at the end of the line")]),
        ("# One\n\na\tb\n", [(3, "there is a tab")]),
        ("# One\n\n" + "x" * 201 + "\n", [(3, "the line has 201 characters")]),
    ],
)
def test_problems_of_a_document_are_found(tmp_path: Path, text: str, found: list[tuple[int, str]]) -> None:
    (tmp_path / "there.md").write_text("# There\n", encoding="utf-8")
    assert findings(tmp_path / "one.md", text) == found


@pytest.mark.parametrize("line", ["[](a" * 100_000, "[" * 200_000, "# " + " #" * 100_000 + "x"])
def test_a_line_that_is_made_to_take_long_takes_one_pass(tmp_path: Path, line: str) -> None:
    found = findings(tmp_path / "one.md", f"# One\n\n{line}\n[x](gone.md)\n")
    assert (4, "the link to gone.md leads nowhere") in found


def test_the_documents_of_this_project_have_no_broken_links() -> None:
    paths = documents(PROJECT)
    assert PROJECT / "README.md" in paths
    assert PROJECT / "docs" / "architecture.md" in paths
    broken = [
        (path.name, finding.text)
        for path in paths
        for finding in check(path).findings
        if "link" in finding.text
    ]
    assert broken == []
