"""The demo agent: it checks the project's Markdown documents, so that the board has real runs to show.

It publishes with `publish/` alone and knows neither the pages nor the API that start it. Start reading at
`agent.py`; `checks.py` has the checks. Everything it reports is measured: no model is asked, so there are no
tokens and no costs.
"""
