"""The way in, and what a person decides about themselves."""
