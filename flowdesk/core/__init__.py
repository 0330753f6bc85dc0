"""What every app stands on: time, ids, errors, actors, tenant doors, the embedded database."""
