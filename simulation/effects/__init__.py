"""What real images show beside lesions, each an effect that a subject has by chance, with a drawn strength."""

from .choosing import EFFECTS, HEAD_EFFECTS, IMAGE_EFFECTS, Effects

__all__ = ["EFFECTS", "HEAD_EFFECTS", "IMAGE_EFFECTS", "Effects"]
