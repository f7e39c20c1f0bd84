"""Long tests under random faults: network faults, killed processes, tabs that open and close."""
