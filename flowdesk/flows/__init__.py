"""Use cases, one transaction each: authorise, lock, load, decide, save, record.

Law: a flow never calls a flow. What several of them do alike stands in `desk.py` and is no flow.
"""
