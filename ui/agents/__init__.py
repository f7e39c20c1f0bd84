"""What the page Agents shows: the board of runs, one run with its log, the success of agents, notices.

Nothing here runs agents; that is `demo_agent/` and `publish/`. Start with `board` for the list and `run` for
one run; `run_html` makes the HTML of both.
"""
