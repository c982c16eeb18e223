"""The laptop stack: private PostgreSQL and Valkey, and the processes around them."""
