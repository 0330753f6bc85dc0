"""`flowdesk run`: one process that starts all others and answers for them.

Law: no Django here. Children end when the supervisor does, however it ends; the database ends last, and if it
outlives a killed supervisor the next one adopts it.
"""
