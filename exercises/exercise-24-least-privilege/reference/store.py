"""The clinic's cabinet: rows in, rows out. Nothing is left to do in this file."""

from datetime import UTC, datetime

from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, create_engine, literal_column, select
from werkzeug.security import generate_password_hash

METADATA = MetaData()
USERS = Table(
    "users",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("email", String, nullable=False, unique=True),
    Column("password_hash", String, nullable=False),
    Column("role", String, nullable=False),
)
VISITS = Table(
    "visits",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("patient_id", ForeignKey("users.id"), nullable=False),
    Column("doctor_id", ForeignKey("users.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("appointment", String, nullable=False),
    Column("diagnosis", String, nullable=False),
    Column("treatment", String, nullable=False),
    Column("internal_note", String, nullable=False),
    Column("insurance_no", String, nullable=False),
)
AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("action", String, nullable=False),
    Column("at", String, nullable=False),
)


def now():
    """Return the time in UTC as a text, such as 2026-03-01T09:30:00+00:00."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Store:
    """Rows of the tables `users`, `visits` and `audit`, each as a dictionary with every column that its table has."""

    def __init__(self, url):
        self.engine = create_engine(url)
        METADATA.create_all(self.engine)

    def find(self, table, **values):
        """Return the first row that has these values, or None."""
        return next(iter(self.rows(table, **values)), None)

    def rows(self, table, **values):
        """Return every row that has these values, by id."""
        kind = METADATA.tables[table]
        query = select(literal_column("*")).select_from(kind).order_by(kind.c.id)
        for name, value in values.items():
            query = query.where(kind.c[name] == value)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def add(self, table, **values):
        """Add a row, and return it."""
        kind = METADATA.tables[table]
        with self.engine.begin() as connection:
            key = connection.execute(kind.insert().values(**values)).inserted_primary_key.id
        return self.find(table, id=key)

    def change(self, table, key, **values):
        """Change the row with this id, and return it."""
        kind = METADATA.tables[table]
        if values:
            with self.engine.begin() as connection:
                connection.execute(kind.update().where(kind.c.id == key).values(**values))
        return self.find(table, id=key)

    def remove(self, table, key):
        """Remove the row with this id."""
        kind = METADATA.tables[table]
        with self.engine.begin() as connection:
            connection.execute(kind.delete().where(kind.c.id == key))

    def add_samples(self):
        """Put somebody of each role and a visit into an empty cabinet, to try things out."""
        if self.find("users") is None:
            password = generate_password_hash("green-tea-at-four")
            for key, name, role in ((1, "Sefu Mwangi", "patient"), (2, "Dr Ida Lund", "doctor"), (3, "Rosa Quispe", "admin")):
                email = f"{role}@clinic.example"
                self.add("users", id=key, name=name, email=email, password_hash=password, role=role)
            self.add(
                "visits",
                id=1,
                patient_id=1,
                doctor_id=2,
                name="Sefu Mwangi",
                appointment="Monday at nine",
                diagnosis="hay fever",
                treatment="drops",
                internal_note="forgets his drops",
                insurance_no="K-2231",
            )
