"""Pages and fragments: a view parses, calls, and renders a frozen page; templates hold no rules.

A template gets `shell` and `page` and nothing else. A post is answered with a redirect to the page, or with
the whole page and 422; htmx picks the parts it needs by id, so one answer serves with and without script.
"""
