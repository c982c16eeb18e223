"""The tables' history: every change of the schema, forth and back."""
