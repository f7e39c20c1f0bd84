"""The checks of the page Diagnostics: judging facts, running the probes, and what to do about a finding.

The requests of the probes are in `db/probes.py`. Start with `checks`.
"""
