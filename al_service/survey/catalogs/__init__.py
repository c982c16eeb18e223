"""Catalogs of every format become objects with photometry and known labels."""
