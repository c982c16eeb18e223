"""Samples of public surveys come onto this machine: queries, files, checks."""
