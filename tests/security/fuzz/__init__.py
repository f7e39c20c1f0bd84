"""Random requests of every kind: none makes the server fail, and none takes long."""
