"""The tests. They mirror the source; CONTRIBUTING.md has the rules, test_tests.py checks them."""
