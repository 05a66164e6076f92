"""Collections: works, their artists, the split and the pairs, as pandas tables."""
