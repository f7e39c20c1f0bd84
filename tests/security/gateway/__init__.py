"""Attacks on the gateway and on the REST service from outside: claims, sizes, and counts."""
