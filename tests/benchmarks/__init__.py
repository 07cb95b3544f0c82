"""How fast the studio is under the hand: `make bench`. Measurements, not tests."""
