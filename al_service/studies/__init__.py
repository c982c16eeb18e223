"""Evidence without a database: campaigns replayed on labels that are known."""
