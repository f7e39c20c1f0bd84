"""What surrounds every page: sidebar, sign-in state and its cookie, and the page for a failed start.

It knows all subjects, and only `app.py` and the account pages know it. Start with `sidebar`.
"""
