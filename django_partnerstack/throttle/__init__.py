"""The rate limiter and the circuit breaker that all processes of the site share."""
