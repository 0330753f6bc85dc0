"""One module per section of a policy document: marked nodes in, engine values out.

Law: a section collects every fault it can find, each with its line and column, and decides nothing.
"""
