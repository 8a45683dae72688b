"""What differs between kinds of work; a kind translates its wire body into the common values."""
