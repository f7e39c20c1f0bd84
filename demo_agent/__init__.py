"""An agent that does something useful, so that the board can be tried: it checks the project's documents."""
