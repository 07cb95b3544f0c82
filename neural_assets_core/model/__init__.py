"""Visual encoder, RoIAlign, asset tokenizer and pipeline, in diffusers' conventions."""
