"""A real embedded Supabase for tests: free ports, a folder of its own, this project's schema and seed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_supabase.runtime import StackInfo, ensure_running, stop_stack

PROJECT = Path(__file__).resolve().parents[2] / "supabase"


@contextmanager
def running_stack(data_dir: Path, project: Path = PROJECT) -> Iterator[StackInfo]:
    """Run a stack of the project in the folder for the block."""
    try:
        yield ensure_running(project, data_dir=data_dir, port=0, database_port=0)
    finally:
        stop_stack(data_dir)
