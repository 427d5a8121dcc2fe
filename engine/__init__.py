"""Computes: distributions, losses, policies, training, algebra. Knows nothing of the course."""
