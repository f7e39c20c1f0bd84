"""Tests with a second client, supabase-js."""
