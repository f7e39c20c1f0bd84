"""Tests of local_supabase, laid out like the package. Files named end_to_end use a running stack."""
