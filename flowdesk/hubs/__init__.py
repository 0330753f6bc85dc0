"""The command pages: lanes, signals, scores, the one thing to do next, and what was published."""
