"""How good scores are: metrics, intervals and calibration. Arrays in, numbers out."""
