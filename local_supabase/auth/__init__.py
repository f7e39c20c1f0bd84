"""The embedded Auth service: Supabase Auth's HTTP interface (GoTrue) over ``auth.*`` in Postgres."""

from local_supabase.auth.service import routes

__all__ = ["routes"]
