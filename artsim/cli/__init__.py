"""The command line: one small module per command. Each flag is declared once."""
