"""Questions to the database: repositories answer, rounds decide."""
