"""The pages: a module for each, with a function from values to HTML."""
