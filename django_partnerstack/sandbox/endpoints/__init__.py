"""What answers a request, by path: both versions of the API, partner links, conversions and control."""
