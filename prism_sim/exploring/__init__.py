"""`explore`: a page in the browser with a scenario's fields as controls, answered by the engine as they move."""
