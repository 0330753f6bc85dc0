"""Flowdesk: a support desk built around its promises."""

__version__ = "0.1.0"  # as pyproject.toml has it
