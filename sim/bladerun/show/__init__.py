"""Pictures and films of strides."""
