"""Pages and fragments. A view parses, calls a flow or a query, and renders a frozen page; templates hold no rules."""
