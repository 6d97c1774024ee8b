"""One module a noun. They return rows of ``db.models``, whole and readable after the transaction."""
