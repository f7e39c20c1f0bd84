"""The common room's messages, private messages, and editing a message.

Writing them is in `pages/tavern.py` and `pages/inbox.py`. Start with `room`.
"""
