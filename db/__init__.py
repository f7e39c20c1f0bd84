"""Typed access to the Supabase project: settings, clients, sign-in, models, reads and writes, errors.

One folder a subject: `hub` (the common rooms), `agents`, `routing`, `ratings`, `auth`. Nothing here knows
Streamlit, and nothing follows changes: the live engine (`livetables/`) does. Start with `rows`, on which the
modules of the tables are built.
"""
