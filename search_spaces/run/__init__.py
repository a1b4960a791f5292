"""A run: what the user asks for, what it takes, its stages, and how it goes on after it was cut off."""
