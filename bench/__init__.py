"""Measurements of the real app and the embedded Supabase. They print figures and assert nothing.

They use the helpers of `tests/`, and nothing of the app uses them. Start reading at `__main__.py`, or run
`python -m bench`.
"""
