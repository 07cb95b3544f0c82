"""Training: first the VAE, then encoder, tokenizer and U-Net end to end on paired frames."""
