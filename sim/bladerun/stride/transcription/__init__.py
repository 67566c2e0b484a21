"""A stride in knots: where they lie in time, and which block of the equations each derivative is in."""
