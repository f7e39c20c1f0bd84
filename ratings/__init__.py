"""The rating core: rating tasks on any SQL database, statistics of judgments, and Supabase if there is one.

It runs without the app. `RatingStore` keeps campaigns, tasks, leases and judgments in Postgres, MariaDB/MySQL
or SQLite; `SupabaseBridge` adds sign-in, live events, files and edge functions; `HybridRaterApp` joins the
two. The pages of the app do not use them: they write through `db/ratings` and take only `agreement` and
`ranking`, which are pure functions. Start reading at `hybrid.py`.
"""
