"""Attacks on the project from outside, with the rights of visitors and members.

Each package tries one part. A test states what an attacker does and what must hold.
"""
