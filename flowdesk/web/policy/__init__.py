"""The policy beside its routing rules: what the standard pack has beyond it, and what is drafted from that."""
