"""The work list: lanes, filters, rows by time left, and a preview."""
