"""The rundown clock: pure arithmetic from a playlist and frame numbers to what is shown. No I/O, no clock."""
