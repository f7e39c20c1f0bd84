"""What an app calls: `import livetables as live` has these names, and nothing else is public.

It puts the parts of the engine together for a Streamlit script. Start with `connect`, then read `database`
(what an app holds), `session` (the running tab) and `show` (fragments and what they show).
"""
