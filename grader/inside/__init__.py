"""Code that enters the boxes. It imports the standard library, what the image has, and nothing else of `grader`."""
