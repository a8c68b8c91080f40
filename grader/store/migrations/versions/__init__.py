"""One module for each revision. A released one never changes."""
