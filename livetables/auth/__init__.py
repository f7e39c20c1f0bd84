"""Sign-ins with Supabase Auth, kept fresh by this process and shared by all tabs of a browser.

It knows no Streamlit. Start with `accounts`, then read `signed_in` (one browser's tokens) and `cookie`.
"""
