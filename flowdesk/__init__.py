"""Flowdesk: a support desk built around its promises."""
