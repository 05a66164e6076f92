"""The whole of a command, from its settings to its results: train, export, score."""
