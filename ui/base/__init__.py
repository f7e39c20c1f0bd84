"""What all pages build on: session, text, folding, times, people, HTML, presence and the queue of writes.

It knows no subject but people: the tables of events, messages, agents and so on are in their own folders.
Start with `session`.
"""
