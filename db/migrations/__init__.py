"""Alembic's revisions; ``db.schema`` runs them."""
