"""How well what is decided from words agrees with what people said, measured on published data."""
