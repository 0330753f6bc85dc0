"""Who works here: a page for those who decide it."""
