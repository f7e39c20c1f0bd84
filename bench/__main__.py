"""Run the measurements: `python -m bench [name ...]`.

Every module of this package with a function `main` is a measurement; without names all of them run. The
figures that `main` returns are in the table at the end, what it prints is above.
"""

import importlib
import os
import pkgutil
import platform
import sys
import traceback
from collections.abc import Callable, Iterable

import bench
from bench.figures import Figure, table

Measurement = Callable[[], Iterable[Figure] | None]


def measurements() -> dict[str, Measurement]:
    """Return the measurements by the names of their modules."""
    names = [
        module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")
    ]
    mains = {name: getattr(importlib.import_module(f"bench.{name}"), "main", None) for name in names}
    return {name: main for name, main in mains.items() if callable(main)}


def run(names: list[str]) -> int:
    """Run the named measurements, or all, and print their figures. Return the exit code."""
    known = measurements()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"There is no measurement {', '.join(unknown)}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    failed = False
    for name in names or known:
        print(f"== {name}", flush=True)
        try:
            figures += known[name]() or ()
        except Exception:  # the other measurements still run
            failed = True
            traceback.print_exc()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    print(f"\nPython {platform.python_version()}, {machine}")
    if figures:
        print(table(figures))
    return int(failed)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
