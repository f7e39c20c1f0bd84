"""The cost of requests to models: metrics, daily sums, budgets and prices.

Pages write budgets and prices here. Metrics are written by programs, with `publish/`. Start with `models`.
"""
