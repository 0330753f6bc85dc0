"""Tags that draw; none decides."""
