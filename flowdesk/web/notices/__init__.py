"""The page of in-app notices."""
