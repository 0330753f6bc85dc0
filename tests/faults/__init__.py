"""The fault campaign: real processes are killed, real connections are cut, and nothing acknowledged may be missing.

What is held against the database and the mail server afterwards is worked out here, by plain arithmetic and SQL,
and not by asking the engine that is on trial.
"""
