"""What real outputs say: fidelity to the undistributed model, and a task's metric."""
