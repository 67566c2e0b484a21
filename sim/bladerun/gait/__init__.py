"""What a stride says: events, outcomes, energy, muscles, files for OpenSim. Reads strides and nothing else."""
