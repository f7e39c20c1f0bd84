"""Events: their cards, the form for a new one, the dialog to edit one, and RSVPs.

The page that puts them together is `pages/events.py`. Start with `schedule` for the data and with `cards` for
the HTML.
"""
