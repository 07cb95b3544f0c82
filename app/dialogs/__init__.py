"""Windows of their own, opened on request only."""
