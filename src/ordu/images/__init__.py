"""Picture bytes: checking, storing, signed links."""
