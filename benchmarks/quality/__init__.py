"""How good the answers are, measured on data that does not ship."""
