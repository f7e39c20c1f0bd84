"""An embedded Supabase: real Postgres and a gateway that speaks Supabase's HTTP and WebSocket protocols.

It knows nothing of the application that uses it. `python -m local_supabase start` runs it for any Supabase
project; `local_supabase.runtime.ensure_running` starts or joins it from inside an application.
"""
