"""What people decide about clusters: names, merges, splits."""
