"""The common room's messages, private messages, writing them, and editing a message.

Start with `room`, and with `conversation` for private ones.
"""
