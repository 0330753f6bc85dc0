"""Those served and those who serve: customers and contacts; teams, agents, shifts and posts."""
