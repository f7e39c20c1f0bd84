"""Accounts and sign-ins: Supabase Auth, the refresh of tokens, and the cookie that survives a reload.

No page is here: `ui/shell/identity.py` puts a sign-in into a session. Start with `accounts`.
"""
