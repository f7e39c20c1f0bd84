"""The HTTP API for other programs, served beside the app; everything happens with the caller's own rights.

It starts and follows runs of agents, and streams changes of tables. The agents themselves live in
`demo_agent/` and `publish/`, database access in `db/`; the pages and Streamlit are not used here. Start
reading at `app.py`; the routes are in `agents.py` and `stream.py`.
"""
