"""Typed access to the database: settings, sign-in, errors in words, one module a table."""
