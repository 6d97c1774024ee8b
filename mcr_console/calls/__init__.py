"""What a supervisor's API can do, by noun; ``mcr_console.client`` puts it together."""
