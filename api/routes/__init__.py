"""Routes by subject; each is a thin translation between HTTP and a use case."""
