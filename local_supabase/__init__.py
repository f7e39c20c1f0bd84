"""An embedded Supabase: a real Postgres and a gateway that speaks Supabase's HTTP and WebSocket protocols.

It runs any Supabase project and knows nothing of the application that uses it. An application calls
`ensure_running`; a person runs `python -m local_supabase start`. Start reading with `gateway` for the
services and with `stack.supervisor` for the processes.
"""

from local_supabase.errors import LocalSupabaseError
from local_supabase.stack.runtime import StackInfo, ensure_running, release, stop_stack

__version__ = "0.1.0"

__all__ = ["LocalSupabaseError", "StackInfo", "ensure_running", "release", "stop_stack"]
