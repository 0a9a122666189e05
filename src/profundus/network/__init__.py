"""The transformer over time; it has never heard of a muscle."""
