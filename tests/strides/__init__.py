"""Strides made up in closed form, and what each outcome of theirs must be."""
