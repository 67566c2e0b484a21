"""A stride as data: what one holds, how it is written, read and checked, and what it was asked for."""
