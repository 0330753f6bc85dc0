"""Our way to PostgreSQL: Django's, with a limit to how long a statement may go unanswered."""
