"""What all resources share: their declaration, operations, lists, schemas and seeding."""
