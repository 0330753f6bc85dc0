"""Recurring issues, and duplicates to clean up."""
