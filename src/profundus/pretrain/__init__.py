"""What virtual people teach: a network that knows what envelopes, motion and moments can tell about deep muscles, and what not."""
