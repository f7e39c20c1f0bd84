"""What the page Routing shows: the newest decisions, totals, a what-if, budgets with alerts, and prices.

`sums`, `grouping`, `alerts` and `charts` compute, and `board_html` makes the HTML; none of them knows a
session. The other modules show. Nothing here publishes decisions; that is `publish/`. Start with `newest`.
"""
