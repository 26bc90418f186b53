"""What isolation costs, measured against plain Django; ``nox -s bench`` runs it."""
