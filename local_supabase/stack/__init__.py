"""The processes of an embedded Supabase: starts Postgres and the gateway, and restarts what ends.

The services themselves are in the packages beside this one. Start reading with `supervisor`; `runtime` is the
side of an application that uses the stack, `cli` the command line.
"""
