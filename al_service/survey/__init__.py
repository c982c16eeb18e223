"""Survey files become pools of objects."""
