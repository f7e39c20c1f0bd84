"""The directory of the page People. How one person is shown anywhere else is in `ui/base/people.py`.

Start with `directory`.
"""
