"""Doors through which background work comes in: Celery tasks and the schedule."""
