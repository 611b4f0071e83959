"""Customers with primary keys and inheritance of all kinds."""

from __future__ import annotations

import uuid

from django.db import connection, models

IGNORING_CASE = {"sqlite": "NOCASE", "mysql": "utf8mb4_general_ci"}.get(connection.vendor)


class Party(models.Model):
    email = models.EmailField(default="party@customers.example")

    def __str__(self) -> str:
        return self.email


class Company(Party):
    tax = models.CharField(max_length=20, default="")

    def __str__(self) -> str:
        return self.tax


class Member(Party):
    class Meta:
        proxy = True

    def __str__(self) -> str:
        return self.email


class Badge(models.Model):
    code = models.CharField(max_length=40, primary_key=True)
    email = models.EmailField(default="badge@customers.example")

    def __str__(self) -> str:
        return self.email


class Device(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(default="device@customers.example")

    def __str__(self) -> str:
        return self.email


class Seat(models.Model):
    pk = models.CompositePrimaryKey("floor", "number")
    floor = models.IntegerField()
    number = models.IntegerField()
    email = models.EmailField(default="seat@customers.example")

    def __str__(self) -> str:
        return self.email


class Ticket(models.Model):
    """Its primary key ignores case, where the database has a collation for it."""

    code = models.CharField(max_length=40, primary_key=True, db_collation=IGNORING_CASE)
    email = models.EmailField(default="ticket@customers.example")

    def __str__(self) -> str:
        return self.email
