"""Who may borrow books."""

from django.db import models


class Member(models.Model):
    name = models.TextField()

    def __str__(self):
        return self.name
