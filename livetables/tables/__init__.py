"""Rows, changes and snapshots as immutable values, and the description of a table.

Nothing here does I/O, knows a feed or imports Streamlit. Start with `spec`, which describes a table, then
read `rows` (how changes are applied) and `store` (the newest rows of several tables).
"""
