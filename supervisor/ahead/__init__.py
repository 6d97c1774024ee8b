"""What will air, looked at before it is due."""
