"""What a ticket is and how much it matters: category, signals, priority, each with its reasons."""
