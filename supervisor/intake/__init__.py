"""What comes in by itself: lists and media in watched folders, and clips that items wait for."""
