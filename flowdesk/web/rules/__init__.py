"""The routing rules: their order, what each does to what came in last, and one tried on a ticket."""
