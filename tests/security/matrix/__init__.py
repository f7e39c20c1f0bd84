"""Every table, function and bucket x every verb x every role, generated from the catalog.

What is expected stands in few places: in tests/supabase_schema/people_access.py and ratings_access.py for
tables, in expected.py for functions, buckets and channels. What is missing there fails a test that says what
to add.
"""
