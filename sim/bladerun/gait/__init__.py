"""What a stride says: events, outcomes, energy, muscles, files for OpenSim. Reads strides, nothing else."""
