"""What Alembic runs; the connection and its transaction are ``db.schema``'s."""

from alembic import context
from sqlalchemy import Connection

from db.models import Base

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("migrations run inside the program: use db.schema")
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
