"""The pages: templates and static files; browser code calls the public API only."""
