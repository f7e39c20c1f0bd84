"""Run the measurements: `python -m bench [name ...]`.

Every module of this package that has a `main` is one, and without names all of them run. What `main` returns
as figures is gathered in the table at the end; what it prints stands above.
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
    """Find the modules that measure something, by name."""
    names = [
        module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")
    ]
    mains = {name: getattr(importlib.import_module(f"bench.{name}"), "main", None) for name in names}
    return {name: main for name, main in mains.items() if callable(main)}


def run(names: list[str]) -> int:
    """Run the named measurements, or all, and print what they found."""
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
        except Exception:  # the other measurements are worth having
            failed = True
            traceback.print_exc()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    print(f"\nPython {platform.python_version()}, {machine}")
    if figures:
        print(table(figures))
    return int(failed)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
