"""The live engine: tables of a Supabase project, kept current here and shown in Streamlit fragments.

It knows no table of the app that uses it. `tables.TableSpec` describes one, `engine.Engine` keeps all of
them, `sessions.bind_session` and `fragments.live_fragment` show them. Only `rerun` and `fragments` import
Streamlit.
"""
