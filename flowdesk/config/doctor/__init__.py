"""`flowdesk doctor`: what is wrong with this deployment, and how to mend it.

Law: a check is a function of what is there to an `Outcome`; it changes nothing, and its `mend` names a command or a
setting. A new check is a function and a line in `CHECKS` of its module; `machine` needs no Django, the others do.
"""
