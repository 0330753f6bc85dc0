"""One module per command: `add_arguments(parser)` and `run(args) -> int`.

The first line of a module's docstring is its help. Modules import Django inside `run` at the earliest: the
environment must be complete first, and `flowdesk --help` must not wait for it.
"""
