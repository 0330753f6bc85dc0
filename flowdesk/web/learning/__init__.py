"""What the desk has learned from its own tickets: trained, compared, asked, put aside."""
