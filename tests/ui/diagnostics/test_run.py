"""Probes run concurrently, and a failing one does not affect the others."""

import threading
from collections.abc import Sequence

from db.errors import UnreachableError
from ui.diagnostics.checks import Finding, Level
from ui.diagnostics.run import Probe, run

FINE = Finding(Level.OK, "Fine.")


def _broken() -> Sequence[Finding]:
    raise ZeroDivisionError("a fault of ours")


def _unreachable() -> Sequence[Finding]:
    raise UnreachableError


def test_findings_come_in_order_and_under_their_names() -> None:
    second = Finding(Level.WARNING, "Hm.")
    found = list(run([Probe(("a", "b"), lambda: [FINE, second], ""), Probe(("c",), lambda: [FINE], "")]))
    assert found == [[("a", FINE), ("b", second)], [("c", FINE)]]


def test_a_probe_that_is_refused_or_raises_fails_alone() -> None:
    probes = [
        Probe(("gone",), _unreachable, "Repair it."),
        Probe(("broken", "and more"), _broken, "Repair it."),
        Probe(("fine",), lambda: [FINE], ""),
    ]
    (gone,), (broken,), (fine,) = run(probes)
    assert gone == ("gone", Finding(Level.FAILED, UnreachableError.message, "Repair it."))
    assert broken[0] == "broken"
    assert broken[1].level is Level.FAILED
    assert "log" in broken[1].remedy
    assert fine == ("fine", FINE)


def test_a_probe_that_hangs_delays_no_other() -> None:
    never = threading.Event()
    try:

        def hang() -> Sequence[Finding]:
            never.wait(30)
            return [FINE]

        (stuck,), (fine,) = run(
            [Probe(("stuck",), hang, "", timeout=0.05), Probe(("fine",), lambda: [FINE], "")]
        )
        assert stuck[1].level is Level.FAILED
        assert "0.05 seconds" in stuck[1].found
        assert fine == ("fine", FINE)
    finally:
        never.set()
