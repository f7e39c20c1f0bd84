"""Turns a parsed request and the catalog into one SQL statement. Nothing here talks to a database.

Every name passes one quoting function and every value is a parameter; both are in `statement`. Start reading
with `plan`.
"""
