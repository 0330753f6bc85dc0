"""Who got what, when and why; and taking back what was handed out together."""
