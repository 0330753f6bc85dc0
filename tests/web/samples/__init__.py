"""Pages filled with values whose numbers agree across all of them."""
