"""A desk to look at: invented people, real rhythms, and every clock and escalation made by the flows themselves.

Law: the demo writes through flows only, touches only a tenant that was a demo from its first instant, and
every address in it ends in `.invalid`.
"""
