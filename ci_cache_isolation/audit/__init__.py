"""DETECT: who wrote which key where, who read it where.

Nothing stands here yet; the journal and the conflicts come next.
"""
