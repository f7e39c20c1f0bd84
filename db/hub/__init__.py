"""The common rooms: profiles, events, answers, and public and private messages, one module a table.

`models` holds the rows, the other modules write them; nothing here reads a whole table, which the live engine
does. Start with `models`.
"""
