"""Agent runs: their rows, the writes of the pages (`runs`), and those of the HTTP API (`requests`).

Agents do not write through it: they use `publish/`, which takes only `models` from here. Start with `models`.
"""
