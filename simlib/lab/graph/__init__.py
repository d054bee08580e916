"""Who leads to whom: the principals, credentials and resources of a world as a graph, and the ways through it."""
