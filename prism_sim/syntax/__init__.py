"""What a scenario file may say: YAML with places, units, sections and their schema, overrides, sweeps."""
