"""The neural musculoskeletal model: the network proposes excitations, physics turns them into moments."""
