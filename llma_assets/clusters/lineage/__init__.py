"""Which cluster of today is which of yesterday's: lasting ids, and what became of each."""
