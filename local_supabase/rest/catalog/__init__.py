"""The schema catalog: the tables, columns, keys, relationships and functions that a request can name.

`model` defines it, `load` builds it from Postgres' system catalogs, `cache` keeps it up to date. It knows
nothing of requests. Start reading with `model`.
"""
