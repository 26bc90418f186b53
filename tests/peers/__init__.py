"""Other projects' own tests, as they are and with isolation on: what differs.

``nox -s peers`` runs them all, ``nox -s peers -- django-6.1-redis`` those named so.
"""
