"""Reads the formats of the describer's model files and writes the indexes by which they are read in place."""
