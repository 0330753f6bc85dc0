"""What somebody must learn: events become deliveries after commit, deliveries become mail and notices."""
