"""A benchmark beyond the paper's figures: what an artist notices, by number of objects."""
