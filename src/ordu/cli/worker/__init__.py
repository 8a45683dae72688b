"""`ordu worker`: lend this machine to a horde. Without a command it works until told to stop."""
