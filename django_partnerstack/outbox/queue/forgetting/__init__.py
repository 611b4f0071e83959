"""Messages of forgotten customers: what stays of them, and what is queued too late."""
