"""f0ci moves automation recipes from dev to production with nothing to operate."""

__version__ = "0.1.0"
