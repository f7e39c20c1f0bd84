"""Helpers that all tests share: a running stack, accounts, the app, a browser, and waiting for conditions."""
