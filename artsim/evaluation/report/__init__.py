"""The report: one self-contained HTML file about scored pairs. Arrays in, a page out."""
