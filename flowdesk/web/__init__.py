"""Pages and fragments: a view parses, calls, and renders a frozen page; templates hold no rules."""
