"""Streamlit's frontend as Tavern serves it: compressed files, and a page that is dark from its first paint.

- `files`: the compressed copy, made once by `python -m frontend`.
- `page`: the HTML page.
- `middleware`: serves both in front of Streamlit.
"""
