"""Training data: made scenes, the on-disk dataset format and its reader."""
