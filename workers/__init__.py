"""Worker processes: doors only."""
