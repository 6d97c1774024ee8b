"""Long runs that are made by hand: they write each result as it comes, and go on where they were left."""
