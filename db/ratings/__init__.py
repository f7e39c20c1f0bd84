"""Rating for the app: tenants, campaigns, tasks, judgments, files and automatic checks, one module each.

The rating core for programs, on any SQL database, is in `ratings/`. Start with `models` and `task_models`.
"""
