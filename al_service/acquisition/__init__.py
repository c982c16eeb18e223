"""Posterior to ranking: which objects would teach us most."""
