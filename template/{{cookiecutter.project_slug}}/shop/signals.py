"""Keep the cache in step with the database."""

from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from .catalogue import forget_product
from .models import Product


@receiver([post_save, post_delete], sender=Product)
def product_changed(instance: Product, **kwargs: object) -> None:
    # Not before the commit: until then another request would cache the old product.
    transaction.on_commit(partial(forget_product, instance.slug))
