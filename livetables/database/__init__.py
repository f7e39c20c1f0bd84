"""The database's side: the SQL that makes tables live, and the check that says what is missing.

It knows no Streamlit and no feed. Start with `sql/` (the log, `changes_since` and `livetables.watch`), then
read `migration` (writes it into a project), `description` (what is known of a table) and `check` (asks the
database).
"""
