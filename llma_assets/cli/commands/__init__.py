"""The commands of `llma`, by noun. Each imports the rooms when it runs."""
