"""Decisions, and the values they decide about. No clock, no chance, no input or output."""
