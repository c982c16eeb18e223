"""The record of everything: tables, the questions asked of them, their migrations."""
