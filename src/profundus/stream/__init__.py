"""A fitted person, frame by frame: what his deep muscles do now, from what was measured up to now."""
