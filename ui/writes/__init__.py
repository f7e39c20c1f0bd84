"""Writes of the signed-in person: submitting one, saving a form, resolving a conflict with another editor.

The queue that carries them is in `ui/base/write_queue.py`. Start with `submit`.
"""
