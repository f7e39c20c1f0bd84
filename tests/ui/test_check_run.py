"""Checks run side by side, and none of them can spoil the others."""

import threading
from collections.abc import Sequence

from db.errors import Unreachable
from ui.check_run import Probe, run
from ui.checks import Finding, Level

FINE = Finding(Level.OK, "Fine.")


def _broken() -> Sequence[Finding]:
    raise ZeroDivisionError("a fault of ours")


def _unreachable() -> Sequence[Finding]:
    raise Unreachable


def test_findings_come_in_order_and_under_their_names() -> None:
    second = Finding(Level.WARNING, "Hm.")
    found = list(run([Probe(("a", "b"), lambda: [FINE, second], ""), Probe(("c",), lambda: [FINE], "")]))
    assert found == [[("a", FINE), ("b", second)], [("c", FINE)]]


def test_what_is_refused_or_breaks_fails_alone() -> None:
    probes = [
        Probe(("gone",), _unreachable, "Mend it."),
        Probe(("broken", "and more"), _broken, "Mend it."),
        Probe(("fine",), lambda: [FINE], ""),
    ]
    (gone,), (broken,), (fine,) = run(probes)
    assert gone == ("gone", Finding(Level.FAILED, Unreachable.message, "Mend it."))
    assert broken[0] == "broken"
    assert broken[1].level is Level.FAILED
    assert "log" in broken[1].mend
    assert fine == ("fine", FINE)


def test_what_does_not_answer_holds_nobody_up() -> None:
    never = threading.Event()
    try:

        def hang() -> Sequence[Finding]:
            never.wait(30)
            return [FINE]

        (stuck,), (fine,) = run(
            [Probe(("stuck",), hang, "", within=0.05), Probe(("fine",), lambda: [FINE], "")]
        )
        assert stuck[1].level is Level.FAILED
        assert "0.05 seconds" in stuck[1].found
        assert fine == ("fine", FINE)
    finally:
        never.set()
