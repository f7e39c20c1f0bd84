"""Several processes of the app behind nginx: the configuration, and what `make run WORKERS=N` does.

`tavern.conf` is the configuration that matters, also for a server of your own; `proxy` fills it in.
`nginx.conf` goes around it when nginx is started from here. `processes` starts everything, and ends it
together. Nothing here knows the app: it is started like any program. Start reading with `tavern.conf`.
"""
