"""What people at the hotline and in the departments work with: the agents' desk and the work orders."""
