"""Measurements of the real thing; `python -m bench` runs them all."""
