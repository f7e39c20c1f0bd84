"""The change log of the page Activity, for admins, and their tools after a flood.

Their checks are in `ui/diagnostics/`. Start with `log`.
"""
