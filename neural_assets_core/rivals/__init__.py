"""Other methods behind the decoders' interface, and tables that compare them fairly."""
