"""What the pages are made of: `base`, then `writes`, then one folder a subject, then `shell`.

Each imports only from those before it, and subjects do not import each other. What stands where on a page is
in `pages/`. Start with `base`.
"""
