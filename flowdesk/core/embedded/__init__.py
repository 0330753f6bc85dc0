"""The database that comes along: PostgreSQL as a process of ours, in a folder of ours.

Law: no Django, no wall clock in a decision. A folder has one holder (`lock.py`), a running server is
never doubted without proof (`cluster.py`), and no web process ever holds a role that can see past a tenant
(`roles.py`). A database that others run is checked and prepared by `external.py`.
"""
