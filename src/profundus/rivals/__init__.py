"""Other people's methods, as their own experts define them."""
