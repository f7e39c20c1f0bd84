"""The embedded Storage service: Supabase Storage over HTTP, files in the data folder, rows in Postgres."""

from local_supabase.storage.service import lifespan, routes

__all__ = ["lifespan", "routes"]
