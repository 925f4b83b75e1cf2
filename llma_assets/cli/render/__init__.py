"""How results, messages and progress look on a terminal."""
