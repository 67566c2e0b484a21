"""What stands in for something slow: the solver, the page's work."""
