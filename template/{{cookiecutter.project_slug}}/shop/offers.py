"""Offers of the day: a product at a lower price. They live in the cache only."""

from decimal import Decimal

from django.core.cache import cache

from .models import Product

DAY = 24 * 60 * 60


def start_offer(slug: str, percent: int) -> None:
    cache.set(f"offer:{slug}", percent, DAY)


def end_offer(slug: str) -> None:
    cache.delete(f"offer:{slug}")


def percent_off(slug: str) -> int:
    return cache.get(f"offer:{slug}", 0)


def price_today(product: Product) -> Decimal:
    price = product.price * (100 - percent_off(product.slug)) / 100
    return price.quantize(Decimal("0.01"))
