"""How fast the science is: budgets as ratios against a named peer in the same run."""
