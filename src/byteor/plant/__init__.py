"""A plant: the roles of a lane graph, in processes or threads, and what happens when one of them dies."""
