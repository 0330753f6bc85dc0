"""The heart: tickets, messages, notes, waits and the event log that tells what happened."""
