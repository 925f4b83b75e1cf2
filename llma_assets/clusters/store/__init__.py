"""What is stored of clusterings: runs with their clusters and members, and the window that a run reads."""
