"""Promises kept in rows: the clocks of a ticket and what they did."""
