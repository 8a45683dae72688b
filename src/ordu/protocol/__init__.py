"""The wire, described once: operations, messages, refusals, masks and documents."""
