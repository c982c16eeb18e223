"""The loop's verbs: the only place where science meets the database."""
