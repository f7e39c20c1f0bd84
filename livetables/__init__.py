"""The live engine: it keeps tables of a Supabase project current and shows them in Streamlit fragments.

It knows no table of the app that uses it and nothing of its database access. Only `rerun` and `fragments`
import Streamlit. Start with `engine` (keeps all tables current), `tables.spec` (describes one table), and
`running_session` and `fragments` (show the tables).
"""
