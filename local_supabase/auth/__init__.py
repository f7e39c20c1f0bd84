"""The embedded Auth service: Supabase Auth's HTTP interface (GoTrue) over ``auth.*`` in Postgres.

Accounts, sessions, refresh tokens and one-time codes are here, and the mailbox in place of a mail server.
Other providers, SAML, second factors and the audit log are not; ``refused`` answers for them. Start with
``service``, which lists the endpoints, then ``api``.
"""

from local_supabase.auth.service import routes

__all__ = ["routes"]
