"""The blade: catalogue, chain of links, bench test."""
