"""The tenant's own fields of a ticket: listed, added, changed and given up."""
