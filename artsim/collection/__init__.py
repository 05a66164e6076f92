"""Collections of paintings: files and csv tables, artists, duplicates, splits and pairs."""
