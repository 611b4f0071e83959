from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, router

from ...exceptions import InvalidArgument
from ...identity.relabel import relabel
from ...models import CustomerIdentity


class Command(BaseCommand):
    help = (
        "Gives the records of a renamed or moved model its new label, so that its customers keep their keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("old", help="the former label, such as shop.Account")
        parser.add_argument("new", help="the label of the model now, such as shop.Organisation")

    def handle(self, *args: Any, **options: Any) -> None:
        old, new = options["old"], options["new"]
        try:
            count = relabel(old, new, using=router.db_for_write(CustomerIdentity))
        except InvalidArgument as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(
                f"Customers of {new} were reported under keys of their own after {old} was renamed, "
                "so the records cannot be joined. Nothing was changed."
            ) from error
        self.stdout.write(f"{count} customers of {old} are customers of {new} now.")
