"""Asks the terminal it runs on what it is, and prints the answer; for a test.

The argument is how long it waits. The session is new, so the terminal of standard input becomes its
own first.
"""

import fcntl
import sys
import termios

from ordu.cli.terminal import detecting
from ordu.cli.terminal.detecting import ASK_ATTRIBUTES, ask_terminal

detecting.ANSWER_S_MAX = float(sys.argv[1])
if sys.stdin.isatty():
    fcntl.ioctl(sys.stdin.fileno(), termios.TIOCSCTTY, 0)
sys.stdout.buffer.write(ask_terminal(ASK_ATTRIBUTES))
