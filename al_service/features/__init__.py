"""Pools become tensors."""
