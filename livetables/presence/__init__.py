"""Who is here: every process reports its tabs over one Realtime channel, and all reports are merged.

`model` is pure; `feed` owns the channel. Presence decides nothing, since anybody with the public key can
claim to be here. Start with `model`.
"""
