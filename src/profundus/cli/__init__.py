"""Arguments to one call to files."""
