"""Posterior and truth: how good, with which interval, and what it cost in labels."""
