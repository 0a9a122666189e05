"""Path lengths, moment arms and joint moments."""
