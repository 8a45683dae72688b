"""Pictures: how a wire body becomes a wish, and a wish a payload."""
