"""Parses a request: its path, query string, headers and body. It does no I/O and knows no schema.

Start reading with `request`. `grammar` and `filters` define PostgREST's grammar with the combinators of
`parsec`.
"""
