"""A basket in the visitor's session."""

from dataclasses import dataclass
from decimal import Decimal

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from .models import Product
from .offers import price_today


class OutOfStockError(Exception):
    """There are fewer of a product than the basket holds."""


@dataclass(frozen=True)
class Line:
    product: Product
    quantity: int

    @property
    def total(self) -> Decimal:
        return price_today(self.product) * self.quantity


class Basket:
    """How many of which products a visitor wants to buy."""

    def __init__(self, session: SessionBase) -> None:
        self.session = session
        self.quantities: dict[str, int] = session.get("basket", {})

    def add(self, product: Product) -> None:
        self._save(
            self.quantities | {product.slug: self.quantities.get(product.slug, 0) + 1}
        )

    def remove(self, slug: str) -> None:
        self._save({key: n for key, n in self.quantities.items() if key != slug})

    def lines(self) -> list[Line]:
        products = Product.objects.filter(slug__in=self.quantities)
        return [Line(product, self.quantities[product.slug]) for product in products]

    def total(self) -> Decimal:
        return sum((line.total for line in self.lines()), Decimal("0.00"))

    def buy(self) -> None:
        """Take the products out of the stock and empty the basket, or do neither."""
        with transaction.atomic():
            wanted = Product.objects.select_for_update().filter(
                slug__in=self.quantities
            )
            for product in wanted:
                quantity = self.quantities[product.slug]
                if product.stock < quantity:
                    raise OutOfStockError(
                        f"There are only {product.stock} of {product.name} left."
                    )
                product.stock -= quantity
                product.save(update_fields=["stock"])
        self._save({})

    def _save(self, quantities: dict[str, int]) -> None:
        self.session["basket"] = self.quantities = quantities
