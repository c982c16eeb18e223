"""An active-learning labeling loop for astronomical surveys.

Read the folders in the order in which the data moves: `survey`, `features`,
`models`, `posterior`, `acquisition`, `evaluation`, `studies`, `rounds`; then the
doors: `api`, `web`, `client`, `cli`.
"""
