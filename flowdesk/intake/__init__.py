"""The ways in: words from outside become an InboundMessage with a known customer and contact."""
