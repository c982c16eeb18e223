"""Every model of the comparison, side by side on shared splits."""
