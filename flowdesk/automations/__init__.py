"""Runs of the ticket automation: by schedule, by the cron route, by hand."""
