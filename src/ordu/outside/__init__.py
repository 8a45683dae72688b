"""What a server connects to that a stranger named, and the one guard on the way (docs/adr/0015)."""
