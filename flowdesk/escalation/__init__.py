"""Every climb in one log: percent of a promise, time in a state, events; each step once, until somebody takes it."""
