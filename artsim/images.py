"""A file becomes what the tower eats."""
