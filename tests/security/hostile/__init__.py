"""People work while somebody attacks: nothing is lost, and nobody waits long (`make soak`)."""
