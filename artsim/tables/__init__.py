"""Tables of pairs, scores and rankings: readers, writers, and output that can be resumed."""
