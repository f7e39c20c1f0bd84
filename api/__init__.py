"""The HTTP API beside the app, for other programs: everything in it happens with the caller's own rights."""
