"""What is said: bodies and the hiding of their length. Exists only inside encryption."""
