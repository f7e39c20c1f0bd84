"""Keeps the rows of one audience current: subscribes, catches up, polls if it must, and reports a status.

A feed applies changes to a `tables.store.Store`. It knows nothing of users, sessions or Streamlit. Start with
`feed` (the tasks), then read `phase` (its states), `sync` (reading), `subscription` (a channel) and
`connection` (the websockets).
"""
