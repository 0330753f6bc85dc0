"""Tickets in bulk: a file becomes rows, a row becomes a ticket's past, and what cannot be used is kept with why."""
