"""Rating tasks without the app: the rules on any SQL database, statistics, and Supabase if there is one.

`RatingStore` keeps campaigns, tasks, leases and judgments in Postgres, MariaDB/MySQL or SQLite;
`SupabaseBridge` adds sign-in, live events, files and edge functions; `HybridRaterApp` is the two together.
`agreement` and `ranking` are pure functions of judgments.
"""
