"""Studies of sweeps: what was tried, what came out, and what to try next."""
