"""Tensors become networks."""
