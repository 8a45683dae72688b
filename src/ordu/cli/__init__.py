"""The command line: one file for each group of commands, loaded when called.

`main` knows the names of the commands and where they are; `options` makes options from settings;
`failures` is what a person sees when something went wrong, and what a script sees as exit code.
"""
