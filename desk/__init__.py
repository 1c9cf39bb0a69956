"""What people at the hotline and in the departments work with."""
