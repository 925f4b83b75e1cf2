"""How `llma run` takes teams through the graph."""
