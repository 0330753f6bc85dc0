"""Pure rules: values in, a new value or a decision with its reasons out.

Law: standard library only. No Django, no input or output, no clock, no randomness.
"""
