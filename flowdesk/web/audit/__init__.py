"""The audit log: who configured, opened or took out what, and whether the seal on each line holds."""
