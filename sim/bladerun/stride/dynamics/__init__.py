"""The forces that a motion asks for: tree of links, ground, passive joints, muscles; with derivatives."""
