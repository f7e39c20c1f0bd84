"""What the pages Ratings and Leaderboard show: the desk, the queue, campaigns, members, files and rankings.

The statistics are in `ratings/`, the database's part in `db/ratings/`. Start with `desk` for raters, and with
`queue` for managers; a module with `_html` in its name only makes HTML.
"""
