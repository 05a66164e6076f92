"""The command line: one thin module a command, each flag declared once."""
