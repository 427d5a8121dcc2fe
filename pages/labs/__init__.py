"""The labs: one file each, one public draw function."""
