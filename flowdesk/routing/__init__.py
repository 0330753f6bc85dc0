"""Who works on a ticket: rules choose the team, shifts, skills and load the agent; every pick leaves a trace."""
