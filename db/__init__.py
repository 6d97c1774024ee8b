"""The store: SQLAlchemy models, repositories and Alembic migrations, on SQLite and PostgreSQL alike."""
