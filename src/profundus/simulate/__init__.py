"""Virtual people whose deep excitations are known: they move, they are measured, and the truth is kept."""
