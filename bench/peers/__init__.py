"""What Tavern is measured beside: other ways in Python to show a change in many tabs."""
