"""Which paintings there are, by whom, and in which pairs: tables in pandas, files on disk, no pixels trained on."""
