"""One module a page. A page reads the session's snapshots, shows live fragments, and calls `db` to write.

What pages are made of, with all HTML, is in `ui/`. Start with `tavern`.
"""
