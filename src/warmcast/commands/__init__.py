"""The commands of the command line, one module each. Like `warmcast.cli`, they are where clock and AWS come in."""
