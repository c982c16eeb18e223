"""Tables out: described columns and blocks of rows become files."""
