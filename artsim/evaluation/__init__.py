"""How good scores are: figures, intervals, calibration. Arrays in, numbers out."""
