"""The sandbox's data: tables of rows in memory, one database for each mode."""
