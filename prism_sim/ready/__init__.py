"""What comes with the package beside its code: ready scenarios, and lessons. An installation has them within."""
