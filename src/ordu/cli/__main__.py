"""`python -m ordu.cli`: how a command starts another one as a process of its own."""

from ordu.cli.main import main

main()
