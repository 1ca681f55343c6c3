"""Parts of a validation: one a file, found by themselves. A module that offers `PART` is in the catalogue."""
