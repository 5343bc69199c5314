"""coterie: end-to-end encrypted chat that a family, a team or a community runs for itself."""
