"""The embedded Storage service: Supabase Storage over HTTP, files in the data folder, rows in Postgres.

Buckets, objects, listings and signed URLs are here. Resumable uploads, S3 and image transformations are not;
they are refused. Who may do what is decided by the project's policies on ``storage.*``. Start with
``service``, which lists the endpoints, then ``upload`` and ``download``.
"""

from local_supabase.storage.service import lifespan, routes

__all__ = ["lifespan", "routes"]
