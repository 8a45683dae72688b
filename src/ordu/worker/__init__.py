"""The worker: takes jobs, has a backend make them, sends pictures back."""
