"""The embedded Auth service: Supabase Auth's HTTP interface (GoTrue) over ``auth.*`` in Postgres.

Accounts, sessions, refresh tokens, one-time codes and second factors (TOTP) are here, and the mailbox in
place of a mail server. Other providers, SAML, codes by SMS, WebAuthn and the audit log are not; ``refused``
and ``mfa`` answer for them. Start with ``service``, which lists the endpoints, then ``api``.
"""

from local_supabase.auth.service import routes

__all__ = ["routes"]
