"""Widgets and words that the pages share."""
