"""Making playlists from folders and from lists that other programs wrote."""
