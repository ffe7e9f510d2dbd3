//! The embedded store: redb tables, packed rows, migrations, one writer.
